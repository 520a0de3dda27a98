import { useEffect, useState } from 'preact/hooks';

/** A value that components can follow. */
export interface Store<T> {
  get(): T;
  set(next: T): void;
  /** Calls back after each change until the returned function is called. */
  subscribe(changed: () => void): () => void;
}

export function createStore<T>(value: T): Store<T> {
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const l of [...listeners]) l();
    },
    subscribe(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
  };
}

/** The store's value; the component renders again when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [, render] = useState({});
  const shown = store.get();
  useEffect(() => {
    const stop = store.subscribe(() => render({}));
    // The value may have changed between rendering and this effect.
    if (!Object.is(shown, store.get())) render({});
    return stop;
  }, [store]);
  return shown;
}
