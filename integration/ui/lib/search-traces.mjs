// Traces that a search finds by what is special about them.

function one(traceId, service, { id, parent = '', name, ago, ms, ...more }) {
  const start = BigInt(Date.now() - ago) * 1_000_000n;
  return {
    resourceSpans: [{
      resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
      scopeSpans: [{ spans: [{ traceId, spanId: id, parentSpanId: parent, name, kind: 2, startTimeUnixNano: String(start), endTimeUnixNano: String(start + BigInt(ms) * 1_000_000n), ...more }] }],
    }],
  };
}

/** IDs of the traces below. */
export const needle = 'c1e4'.padStart(32, '0');
export const lost = 'c1e5'.padStart(32, '0');
export const markup = 'c1e6'.padStart(32, '0');

/** Sends about 600 traces of the shop over 40 minutes, and those below. */
export async function sendSearchTraces(clew) {
  clew.load(12_000, '--window', '40m');
  for (const t of [needleTrace, lostTrace, markupTrace]) await clew.push(t);
}

/** 1.5 seconds, one minute ago, with an error and tags. */
const needleTrace = one(needle, 'haystack', {
  id: '00000000000000a1', name: 'GET /needle', ago: 60_000, ms: 1500, status: { code: 2 },
  attributes: [{ key: 'user.id', value: { stringValue: 'a b' } }, { key: 'http.status_code', value: { intValue: '500' } }],
});

/** A span whose parent is not there, two minutes ago. */
const lostTrace = one(lost, 'haystack', { id: '00000000000000a2', parent: '00000000000000ff', name: 'lost', ago: 120_000, ms: 20 });

/** Names that would do harm if they were taken for markup. */
const markupTrace = one(markup, '<b>markup</b>', { id: '00000000000000a3', name: '<img src=x onerror=alert(1)>', ago: 90_000, ms: 3 });
