import { getText, parseJSON, type Answer } from './http';
import type { TraceSummary } from './summaries';

// The v3 API has no way to ask for several traces by ID, the older one has. It
// gives whole traces, which are added up here as the server does for a search.

interface LegacySpan {
  spanID: string;
  startTime: number; // microseconds
  duration: number;
  operationName: string;
  processID: string;
  references?: { refType: string; traceID: string; spanID: string }[];
  tags?: { key: string; value: unknown }[];
}

export interface LegacyTrace {
  traceID: string;
  spans: LegacySpan[];
  processes: Record<string, { serviceName: string }>;
}

interface Envelope {
  data: LegacyTrace[] | null;
  errors: { msg: string; traceID?: string }[] | null;
}

export interface TracesByID {
  found: TraceSummary[];
  /** IDs of which no span is stored. */
  missing: string[];
}

export async function getSummariesByID(ids: string[], signal?: AbortSignal): Promise<Answer<TracesByID>> {
  const { value, incomplete } = await getText('api/traces', ids.map((id) => ['traceID', id]), signal);
  const { data, errors } = parseJSON<Envelope>(value);
  const found = (data ?? []).map(summarize);
  const missing = (errors ?? []).map((e) => e.traceID?.padStart(32, '0') ?? '').filter(Boolean);
  return { value: { found, missing }, incomplete };
}

export function summarize(t: LegacyTrace): TraceSummary {
  const id = t.traceID.padStart(32, '0');
  const have = new Set(t.spans.map((s) => s.spanID));
  const services = new Map<string, TraceSummary['services'][0]>();
  let root: LegacySpan | null = null;
  let start = Infinity;
  let end = -Infinity;
  let errors = 0;
  let orphans = 0;
  for (const s of t.spans) {
    start = Math.min(start, s.startTime);
    end = Math.max(end, s.startTime + s.duration);
    const parent = s.references?.find((r) => r.refType === 'CHILD_OF' && r.traceID.padStart(32, '0') === id);
    if (!parent && (!root || s.startTime < root.startTime || (s.startTime === root.startTime && s.spanID < root.spanID))) root = s;
    if (parent && !have.has(parent.spanID)) orphans++;
    const name = serviceOf(t, s);
    const of = services.get(name) ?? { name, spans: 0, errors: 0 };
    services.set(name, of);
    of.spans++;
    if (s.tags?.some((tag) => tag.key === 'error' && tag.value === true)) {
      of.errors++;
      errors++;
    }
  }
  return {
    traceId: id,
    rootService: root ? serviceOf(t, root) : '',
    rootOperation: root?.operationName ?? '',
    start: BigInt(Number.isFinite(start) ? start : 0) * 1000n,
    duration: Math.max(0, end - start) * 1000,
    spans: t.spans.length,
    errors, orphans,
    services: [...services.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

const serviceOf = (t: LegacyTrace, s: LegacySpan): string => t.processes[s.processID]?.serviceName ?? 'unknown-service';
