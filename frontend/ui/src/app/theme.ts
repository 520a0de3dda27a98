import { createStore, useStore } from './store';

export type Theme = 'light' | 'dark';

// public/theme.js has put a remembered choice on the root element.
const system = matchMedia('(prefers-color-scheme: dark)');
const current = (): Theme => {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return system.matches ? 'dark' : 'light';
};

const theme = createStore<Theme>(current());
system.addEventListener('change', () => theme.set(current()));

export const useTheme = (): Theme => useStore(theme);

export function toggleTheme(): void {
  const next = theme.get() === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem('clew.theme', next);
  } catch {
    // Storage is forbidden: the choice lasts as long as the page.
  }
  theme.set(next);
}
