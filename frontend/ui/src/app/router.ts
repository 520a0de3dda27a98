import { createStore, useStore } from './store';

// Where the app is mounted: the server's <base> says so, whether that is "/", a
// prefix, or a tenant's path. Links inside the app are relative to it.
const base = new URL('.', document.baseURI);

export interface Location {
  /** Path below the base, beginning with a slash: "/trace/…". */
  path: string;
  query: URLSearchParams;
  /** Whether it was reached with the browser's back or forward. */
  walked: boolean;
}

function read(walked = false): Location {
  const url = new URL(window.location.href);
  const inside = url.pathname.startsWith(base.pathname);
  return { path: inside ? '/' + url.pathname.slice(base.pathname.length) : '/', query: url.searchParams, walked };
}

const location = createStore(read());
window.addEventListener('popstate', () => location.set(read(true)));

export const useLocation = (): Location => useStore(location);
export const currentLocation = (): Location => location.get();

/** An address inside the app for use in links: path begins with a slash. */
export function href(path: string, query?: URLSearchParams | Record<string, string>): string {
  const q = new URLSearchParams(query).toString();
  return new URL(path.slice(1) + (q && '?' + q), base).href;
}

/** The address of an API route: "api/v3/services". */
export const apiURL = (route: string): URL => new URL(route, base);

/** Goes to an address made with href. */
export function navigate(to: string, how?: { replace?: boolean }): void {
  if (how?.replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  location.set(read());
  if (!how?.replace) window.scrollTo(0, 0);
}

/** Changes parameters of the address without a new entry in the history; an
 * empty value removes one. */
export function setQuery(changes: Record<string, string>): void {
  const q = new URLSearchParams(window.location.search);
  const before = q.toString();
  for (const [k, v] of Object.entries(changes)) {
    if (v) q.set(k, v);
    else q.delete(k);
  }
  if (q.toString() !== before) navigate(href(currentLocation().path, q), { replace: true });
}

// Plain clicks on links into the app change the page without loading it again.
document.addEventListener('click', (e) => {
  if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
  const a = e.target instanceof Element ? e.target.closest('a') : null;
  if (!a?.href || a.hasAttribute('download') || (a.target && a.target !== '_self')) return;
  const to = new URL(a.href);
  if (to.origin !== base.origin || !to.pathname.startsWith(base.pathname)) return;
  if (to.pathname.startsWith(base.pathname + 'api/')) return;
  if (to.hash && to.pathname === window.location.pathname && to.search === window.location.search) return;
  e.preventDefault();
  navigate(to.href);
});
