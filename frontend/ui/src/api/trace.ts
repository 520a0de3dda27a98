import { getText, parseJSON, type Answer } from './http';
import type { OTLPTraces } from './otlp';

export interface TraceAnswer {
  traces: OTLPTraces;
  /** The answer as it came; exact where numbers are concerned. */
  text: string;
}

/** One trace as OTLP. An unknown one is an APIError with status 404. */
export async function getTrace(id: string, signal?: AbortSignal): Promise<Answer<TraceAnswer>> {
  const { value: text, incomplete } = await getText(`api/v3/traces/${encodeURIComponent(id)}`, {}, signal);
  return { value: { traces: parseJSON<{ result?: OTLPTraces }>(text).result ?? {}, text }, incomplete };
}

/** The same trace in Jaeger's JSON, as text. */
export const getJaegerTrace = (id: string, signal?: AbortSignal): Promise<Answer<string>> =>
  getText(`api/traces/${encodeURIComponent(id)}`, {}, signal);
