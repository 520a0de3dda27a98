import { useState } from 'preact/hooks';

/** State that outlives the visit, for widths and the like. */
export function useRemembered(name: string, initial: number): [number, (v: number) => void] {
  const key = 'clew.' + name;
  const [value, setValue] = useState(() => {
    try {
      const v = Number(localStorage.getItem(key));
      return v > 0 ? v : initial;
    } catch {
      return initial; // storage is forbidden
    }
  });
  const set = (v: number): void => {
    setValue(v);
    try {
      localStorage.setItem(key, String(v));
    } catch {
      // As above: it lasts as long as the page.
    }
  };
  return [value, set];
}
