import http from 'node:http';

/** A proxy that shows a server under a prefix, which it takes from the path
 * before it passes a request on; with keep it leaves the path as it is. */
export async function startProxy(target, prefix, { keep = false } = {}) {
  const server = http.createServer((req, res) => {
    if (req.url !== prefix && !req.url.startsWith(prefix + '/')) {
      res.writeHead(404).end('not under the prefix');
      return;
    }
    if (req.url === prefix && !keep) { // as proxies that take a prefix away must
      res.writeHead(308, { Location: prefix + '/' }).end();
      return;
    }
    const path = keep ? req.url : req.url.slice(prefix.length);
    const pass = http.request(target + path, { method: req.method, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      answer.pipe(res);
    });
    pass.on('error', () => res.writeHead(502).end());
    req.pipe(pass);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return { origin, url: origin + prefix, stop: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }) };
}
