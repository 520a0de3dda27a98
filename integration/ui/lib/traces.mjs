// OTLP traces, made here because they are larger or odder than those of
// `clew load`. The same seed makes the same trace, but for its times.

/** Numbers that look random. */
export function random(seed) {
  let s = seed >>> 0;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 32;
  };
}

const hex = (n, digits) => n.toString(16).padStart(digits, '0');

const text = (key, v) => ({ key, value: { stringValue: String(v) } });
const int = (key, v) => ({ key, value: { intValue: String(v) } });

/** A trace of n spans over several services: a tree in which calls lie within
 * their callers, some with errors and events. */
export function bigTrace(n, id = 'b16'.padEnd(32, '0')) {
  const rnd = random(n);
  const services = ['gateway', 'orders', 'billing', 'stock', 'ledger', 'mailer', 'search', 'profiles', 'images', 'audit'];
  const spans = services.map(() => []);
  const start = BigInt(Date.now() - 60_000) * 1_000_000n;
  const nodes = [];
  for (let i = 0; i < n; i++) {
    // Callers are mostly recent spans, which makes chains and fans.
    const p = i === 0 ? -1 : rnd() < 0.5 ? Math.max(0, i - 1 - Math.floor(rnd() * 5)) : Math.floor(rnd() * i);
    const parent = nodes[p];
    const length = parent ? parent.length * (0.05 + 0.75 * rnd()) : 8e9;
    const begin = parent ? parent.begin + rnd() * (parent.length - length) : 0;
    const service = parent && rnd() < 0.6 ? parent.service : Math.floor(rnd() * services.length);
    const node = { begin, length, service };
    nodes.push(node);
    const failed = rnd() < 0.004;
    spans[service].push({
      traceId: id,
      spanId: hex(i + 1, 16),
      parentSpanId: parent ? hex(p + 1, 16) : '',
      name: ['GET /api/v1/items/{id}', 'SELECT items', 'publish', 'validate', 'render', 'cache.get'][Math.floor(rnd() * 6)],
      kind: 1,
      startTimeUnixNano: String(start + BigInt(Math.round(node.begin))),
      endTimeUnixNano: String(start + BigInt(Math.round(node.begin + node.length))),
      attributes: [text('http.request.method', 'GET'), int('http.response.status_code', failed ? 500 : 200), int('item.number', i), text('peer.address', `10.0.${i % 250}.7`)],
      events: i % 40 === 0 ? [{ timeUnixNano: String(start + BigInt(Math.round(node.begin + node.length / 2))), name: 'cache miss' }] : [],
      status: failed ? { code: 2, message: 'upstream failed' } : {},
    });
  }
  return {
    resourceSpans: services.map((name, k) => ({
      resource: { attributes: [text('service.name', name), text('host.name', `node-${k}`)] },
      scopeSpans: [{ scope: { name: 'big', version: '1.0' }, spans: spans[k] }],
    })),
  };
}

/** A small trace with one of everything: all types of values, events, links,
 * a missing parent, a clock that is wrong, an error. */
export function oddTrace(id = '0dd'.padEnd(32, '0'), other = 'b16'.padEnd(32, '0')) {
  const start = BigInt(Date.now() - 30_000) * 1_000_000n;
  const at = (ms) => String(start + BigInt(Math.round(ms * 1e6)));
  const span = (n, parent, name, kind, from, to, more = {}) => ({
    traceId: id, spanId: hex(n, 16), parentSpanId: parent ? hex(parent, 16) : '', name, kind, startTimeUnixNano: at(from), endTimeUnixNano: at(to), ...more,
  });
  const resource = (name, spans) => ({ resource: { attributes: [text('service.name', name)] }, scopeSpans: [{ scope: { name: 'odd' }, spans }] });
  return {
    resourceSpans: [
      resource('web', [
        span(1, 0, 'GET /checkout', 2, 0, 120, {
          traceState: 'vendor=1',
          attributes: [
            text('url.path', '/checkout'), int('big', '9223372036854775807'), { key: 'ratio', value: { doubleValue: 0.25 } }, { key: 'cached', value: { boolValue: false } },
            { key: 'raw', value: { bytesValue: '/wAQ' } }, { key: 'nothing', value: {} }, text('empty', ''),
            { key: 'items', value: { arrayValue: { values: [{ stringValue: 'apple' }, { intValue: '2' }] } } },
            { key: 'user', value: { kvlistValue: { values: [text('name', 'Ada'), { key: 'tags', value: { arrayValue: { values: [{ boolValue: true }] } } }] } } },
            text('odd', '<b>not bold</b> "quoted"\nsecond line'),
          ],
          events: [
            { timeUnixNano: at(5), name: 'started', attributes: [int('attempt', 1)] },
            { timeUnixNano: at(90), name: 'exception', attributes: [text('exception.type', 'CartError'), text('exception.message', 'no such cart'), text('exception.stacktrace', 'at cart.go:12\n'.repeat(80))] },
          ],
          links: [{ traceId: other, spanId: hex(1, 16), attributes: [text('why', 'retry of')] }, { traceId: id, spanId: hex(3, 16) }],
          status: { code: 2, message: 'cart is gone' },
        }),
        span(2, 1, 'cart.Get', 3, 10, 60),
        span(5, 1, 'publish order', 4, 100, 110),
      ]),
      resource('cart', [
        span(3, 2, 'cart.Get', 2, 7, 40), // its clock is 3 ms early
        span(4, 0xdead, 'lost', 1, 20, 30),
      ]),
      resource('worker', [span(6, 5, 'process order', 5, 150, 180)]),
    ],
  };
}
