import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { href, navigate, useLocation } from './router';
import { match, routes, type PageProps, type Route } from './routes';
import { Shell } from './shell';
import { Loading, Message } from '../components/message';

export function App() {
  return (
    <Shell>
      <Outlet />
    </Shell>
  );
}

const loaded = new Map<Route, ComponentType<PageProps>>();

function Outlet() {
  const { path } = useLocation();
  const [, render] = useState({});
  const [failed, setFailed] = useState<Route | null>(null);

  const found = routes.map((route) => ({ route, params: match(route.pattern, path) })).find((m) => m.params);
  const route = found?.route;
  useEffect(() => {
    if (path === '/') navigate(href('/search'), { replace: true });
  }, [path]);
  useEffect(() => {
    if (!route || loaded.has(route)) return;
    let current = true;
    route.load().then(
      (m) => { loaded.set(route, m.default); if (current) render({}); },
      () => { if (current) setFailed(route); },
    );
    return () => { current = false; };
  }, [route]);

  if (path === '/') return null;
  if (!found) {
    return (
      <Message title="There is no such page">
        <a href={href('/search')}>Search for traces</a>
      </Message>
    );
  }
  const Page = loaded.get(found.route);
  if (Page) return <Page params={found.params!} />;
  if (failed === found.route) {
    return (
      <Message title="This page did not load" tone="error">
        The server did not answer, or Clew was upgraded since this tab was opened.{' '}
        <a href={window.location.href} target="_self" onClick={(e) => { e.preventDefault(); window.location.reload(); }}>Load it again</a>
      </Message>
    );
  }
  return <Loading what="page" />;
}
