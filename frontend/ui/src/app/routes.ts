import type { ComponentType } from 'preact';

/** What a page is given: the parts of the path that its pattern names. */
export interface PageProps {
  params: Record<string, string>;
}

export interface Route {
  /** A path whose parts after a colon match anything: "/trace/:id". */
  pattern: string;
  /** Entry in the main navigation, if it has one. */
  nav?: string;
  /** Pages are loaded when they are first opened. */
  load: () => Promise<{ default: ComponentType<PageProps> }>;
}

export const routes: Route[] = [
  { pattern: '/search', nav: 'Search', load: () => import('../pages/search') },
  { pattern: '/trace/:id', load: () => import('../pages/trace') },
];

export function match(pattern: string, path: string): Record<string, string> | null {
  const want = pattern.split('/');
  const got = path.replace(/\/$/, '').split('/');
  if (want.length !== got.length) return null;
  const params: Record<string, string> = {};
  for (let i = 0; i < want.length; i++) {
    const w = want[i];
    if (w.startsWith(':')) {
      try {
        params[w.slice(1)] = decodeURIComponent(got[i]);
      } catch {
        return null;
      }
    } else if (w !== got[i]) return null;
  }
  return params;
}
