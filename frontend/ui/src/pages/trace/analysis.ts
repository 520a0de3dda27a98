import { criticalPath, type CriticalPath } from '../../model/critical-path';
import { selfTimes } from '../../model/self-time';
import { buildTrace, type Trace } from '../../model/trace';
import { findWarnings, type Warnings } from '../../model/warnings';
import type { OTLPTraces } from '../../api/otlp';

/** A trace and all that is worked out about it once. */
export interface Analysis {
  t: Trace;
  self: Float64Array;
  path: CriticalPath;
  warnings: Warnings;
}

export function analyse(traces: OTLPTraces): Analysis {
  const t = buildTrace(traces);
  return { t, self: selfTimes(t), path: criticalPath(t), warnings: findWarnings(t) };
}

/** The share of the trace's self time that each service has, largest first. */
export function serviceShares({ t, self }: Analysis): { name: string; share: number; spans: number }[] {
  const sums = t.services.map((name) => ({ name, share: 0, spans: 0 }));
  let total = 0;
  for (let i = 0; i < t.count; i++) {
    sums[t.service[i]].share += self[i];
    sums[t.service[i]].spans++;
    total += self[i];
  }
  for (const s of sums) s.share = total > 0 ? s.share / total : 0;
  return sums.sort((a, b) => b.share - a.share || b.spans - a.spans);
}
