import { getJSON, type Answer } from './http';

export interface SummaryQuery {
  /** Empty: any service. */
  service?: string;
  operation?: string;
  /** Milliseconds since 1970. */
  startMin: number;
  startMax: number;
  limit: number;
  /** Go durations: "1.2s", "100ms". */
  durationMin?: string;
  durationMax?: string;
  /** Values match by their text; error=true matches spans with an error. */
  attributes?: Record<string, string>;
}

export interface TraceSummary {
  traceId: string;
  /** Empty when the root span is not stored. */
  rootService: string;
  rootOperation: string;
  /** Nanoseconds since 1970. */
  start: bigint;
  /** Nanoseconds. */
  duration: number;
  spans: number;
  errors: number;
  orphans: number;
  services: { name: string; spans: number; errors: number }[];
}

interface Wire {
  traceId: string;
  rootServiceName?: string;
  rootOperationName?: string;
  minStartTimeUnixNano: string;
  maxEndTimeUnixNano: string;
  spanCount?: number;
  errorSpanCount?: number;
  orphanSpanCount?: number;
  services: { name: string; spanCount?: number; errorSpanCount?: number }[];
}

/** The traces that match, newest first. */
export async function getSummaries(q: SummaryQuery, signal?: AbortSignal): Promise<Answer<TraceSummary[]>> {
  const params: Record<string, string> = {
    'query.startTimeMin': new Date(q.startMin).toISOString(),
    'query.startTimeMax': new Date(q.startMax).toISOString(),
    'query.searchDepth': String(q.limit),
  };
  if (q.service) params['query.serviceName'] = q.service;
  if (q.operation) params['query.operationName'] = q.operation;
  if (q.durationMin) params['query.durationMin'] = q.durationMin;
  if (q.durationMax) params['query.durationMax'] = q.durationMax;
  if (q.attributes && Object.keys(q.attributes).length > 0) params['query.attributes'] = JSON.stringify(q.attributes);
  const a = await getJSON<{ summaries: Wire[] }>('api/v3/trace-summaries', params, signal);
  return { ...a, value: a.value.summaries.map(summary) };
}

function summary(w: Wire): TraceSummary {
  const start = BigInt(w.minStartTimeUnixNano);
  return {
    traceId: w.traceId,
    rootService: w.rootServiceName ?? '',
    rootOperation: w.rootOperationName ?? '',
    start,
    duration: Number(BigInt(w.maxEndTimeUnixNano) - start),
    spans: w.spanCount ?? 0,
    errors: w.errorSpanCount ?? 0,
    orphans: w.orphanSpanCount ?? 0,
    services: w.services.map((s) => ({ name: s.name, spans: s.spanCount ?? 0, errors: s.errorSpanCount ?? 0 })),
  };
}
