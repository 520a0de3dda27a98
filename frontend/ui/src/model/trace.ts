import type { OTLPKeyValue, OTLPScopeSpans, OTLPSpan, OTLPTraces } from '../api/otlp';
import { order, type Problem } from './tree';

export interface Resource {
  service: string;
  attributes: OTLPKeyValue[];
  dropped: number;
  schemaUrl: string;
}

export interface Scope {
  name: string;
  version: string;
  attributes: OTLPKeyValue[];
  dropped: number;
  schemaUrl: string;
}

/** A trace, ready to be drawn. Spans are numbered in the order of the tree: a
 * parent, then each child with all that is below it, the earliest first. So the
 * descendants of span i are i+1 … i+size[i]-1. Times are nanoseconds since the
 * start of the trace. */
export interface Trace {
  id: string;
  count: number;
  /** Nanoseconds since 1970 of the earliest start. */
  start: bigint;
  /** From the earliest start to the latest end. */
  duration: number;
  spans: OTLPSpan[];
  /** -1 for roots. */
  parent: Int32Array;
  depth: Int32Array;
  /** Spans in the subtree, with its root. */
  size: Int32Array;
  children: Int32Array;
  begin: Float64Array;
  /** Never before begin. */
  end: Float64Array;
  /** Index into services. */
  service: Int32Array;
  services: string[];
  resource: Int32Array;
  resources: Resource[];
  scope: Int32Array;
  scopes: Scope[];
  /** 1 where the status is an error. */
  error: Uint8Array;
  errors: number;
  /** Levels of the tree. */
  levels: number;
  roots: number[];
  /** What is odd about the tree, by span. */
  problems: Map<number, Problem[]>;
}

/** A span without a service name belongs to the same service in the API. */
export const unknownService = 'unknown-service';

export function buildTrace(traces: OTLPTraces): Trace {
  const flat = flatten(traces);
  const n = flat.spans.length;
  const times = readTimes(flat.spans);
  const tree = order(flat.spans, times.begin, times.end);
  inherit(tree, times);

  const services = new Map<string, number>();
  const t: Trace = {
    id: flat.spans[0]?.traceId ?? '',
    count: n,
    start: times.start,
    duration: 0,
    spans: new Array<OTLPSpan>(n),
    parent: new Int32Array(n),
    depth: new Int32Array(n),
    size: new Int32Array(n).fill(1),
    children: new Int32Array(n),
    begin: new Float64Array(n),
    end: new Float64Array(n),
    service: new Int32Array(n),
    services: [],
    resource: new Int32Array(n),
    resources: flat.resources,
    scope: new Int32Array(n),
    scopes: flat.scopes,
    error: new Uint8Array(n),
    errors: 0,
    levels: 0,
    roots: [],
    problems: new Map(),
  };
  const at = new Int32Array(n); // new number by old
  for (let i = 0; i < n; i++) at[tree.preorder[i]] = i;
  for (let i = 0; i < n; i++) {
    const o = tree.preorder[i];
    const s = flat.spans[o];
    const p = tree.parent[o] < 0 ? -1 : at[tree.parent[o]];
    t.spans[i] = s;
    t.parent[i] = p;
    if (p < 0) t.roots.push(i);
    else {
      t.depth[i] = t.depth[p] + 1;
      t.children[p]++;
    }
    t.levels = Math.max(t.levels, t.depth[i] + 1);
    t.begin[i] = times.begin[o];
    t.end[i] = Math.max(times.begin[o], times.end[o]);
    t.duration = Math.max(t.duration, t.end[i]);
    t.resource[i] = flat.resource[o];
    t.scope[i] = flat.scope[o];
    const name = flat.resources[flat.resource[o]].service;
    let service = services.get(name);
    if (service === undefined) services.set(name, (service = services.size));
    t.service[i] = service;
    if (s.status?.code === 2) {
      t.error[i] = 1;
      t.errors++;
    }
    const problems = tree.problems.get(o);
    if (problems) t.problems.set(i, problems);
  }
  for (let i = n - 1; i >= 0; i--) if (t.parent[i] >= 0) t.size[t.parent[i]] += t.size[i];
  t.services = [...services.keys()];
  return t;
}

interface Flat {
  spans: OTLPSpan[];
  resource: number[];
  resources: Resource[];
  scope: number[];
  scopes: Scope[];
}

function flatten(traces: OTLPTraces): Flat {
  const f: Flat = { spans: [], resource: [], resources: [], scope: [], scopes: [] };
  for (const rs of traces.resourceSpans ?? []) {
    const attributes = rs.resource?.attributes ?? [];
    f.resources.push({
      service: attributes.find((a) => a.key === 'service.name')?.value?.stringValue || unknownService,
      attributes,
      dropped: rs.resource?.droppedAttributesCount ?? 0,
      schemaUrl: rs.schemaUrl ?? '',
    });
    for (const ss of rs.scopeSpans ?? []) {
      f.scopes.push(scopeOf(ss));
      for (const s of ss.spans ?? []) {
        f.spans.push(s);
        f.resource.push(f.resources.length - 1);
        f.scope.push(f.scopes.length - 1);
      }
    }
  }
  return f;
}

function scopeOf(ss: OTLPScopeSpans): Scope {
  return {
    name: ss.scope?.name ?? '',
    version: ss.scope?.version ?? '',
    attributes: ss.scope?.attributes ?? [],
    dropped: ss.scope?.droppedAttributesCount ?? 0,
    schemaUrl: ss.schemaUrl ?? '',
  };
}

export interface Times {
  start: bigint;
  /** NaN where a span has no start time. */
  begin: Float64Array;
  end: Float64Array;
}

/** Makes times relative, so that they fit a double to the nanosecond. */
function readTimes(spans: OTLPSpan[]): Times {
  const starts = spans.map((s) => BigInt(s.startTimeUnixNano ?? 0));
  const known = starts.filter((s) => s > 0n);
  const start = known.length > 0 ? known.reduce((a, b) => (b < a ? b : a)) : 0n;
  const begin = new Float64Array(spans.length);
  const end = new Float64Array(spans.length);
  spans.forEach((s, i) => {
    begin[i] = starts[i] > 0n ? Number(starts[i] - start) : NaN;
    const e = BigInt(s.endTimeUnixNano ?? 0);
    end[i] = e > 0n ? Number(e - start) : NaN;
  });
  return { start, begin, end };
}

/** Gives spans without a start that of their parent, parents first. */
function inherit(tree: { parent: Int32Array; preorder: Int32Array }, times: Times): void {
  for (const i of tree.preorder) {
    if (Number.isNaN(times.begin[i])) {
      const p = tree.parent[i];
      times.begin[i] = p >= 0 ? times.begin[p] : 0;
    }
    if (Number.isNaN(times.end[i])) times.end[i] = times.begin[i];
  }
}

/** The span that stands for the trace: its first root, one that is not an orphan
 * if there is any. */
export const mainRoot = (t: Trace): number =>
  t.roots.find((r) => !t.problems.get(r)?.some((p) => p.kind === 'missing-parent')) ?? 0;

export const durationOf = (t: Trace, i: number): number => t.end[i] - t.begin[i];

export const serviceOf = (t: Trace, i: number): string => t.services[t.service[i]];

export const nameOf = (t: Trace, i: number): string => t.spans[i].name || '(no name)';

const kinds = ['', 'internal', 'server', 'client', 'producer', 'consumer'];

/** "server", "client", …; empty if the span does not say. */
export const kindOf = (t: Trace, i: number): string => kinds[t.spans[i].kind ?? 0] ?? '';

/** The children of a span, the earliest first. */
export function* childrenOf(t: Trace, i: number): Generator<number> {
  for (let c = i + 1; c < i + t.size[i]; c += t.size[c]) yield c;
}
