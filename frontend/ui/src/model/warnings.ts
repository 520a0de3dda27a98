import { formatDuration, plural } from './format';
import { durationOf, kindOf, serviceOf, type Trace } from './trace';

export interface Warning {
  /** A note tells what may well be intended; a warning what should not be. */
  tone: 'warning' | 'note';
  text: string;
}

export interface Warnings {
  /** About the trace as a whole. */
  trace: Warning[];
  bySpan: Map<number, Warning[]>;
}

/** Says in words what is odd about a trace. Times are shown as they were sent:
 * nothing is corrected. */
export function findWarnings(t: Trace): Warnings {
  const w: Warnings = { trace: [], bySpan: new Map() };
  const add = (i: number, tone: Warning['tone'], text: string): void => {
    const list = w.bySpan.get(i);
    if (list) list.push({ tone, text });
    else w.bySpan.set(i, [{ tone, text }]);
  };
  for (const [i, problems] of t.problems) {
    for (const p of problems) {
      if (p.kind === 'missing-parent') add(i, 'warning', `Its parent, span ${p.parent}, is not in this trace: it was not sampled, got lost, or has not arrived yet.`);
      else if (p.kind === 'duplicate-id') add(i, 'warning', 'Another span of this trace has the same ID. Children of that ID are shown below the first.');
      else add(i, 'warning', 'Its parents lead back to itself, so it is shown as a root.');
    }
  }
  for (let i = 0; i < t.count; i++) {
    times(t, i, add);
    dropped(t, i, add);
  }
  wholeTrace(t, w);
  return w;
}

type Add = (i: number, tone: Warning['tone'], text: string) => void;

function times(t: Trace, i: number, add: Add): void {
  const s = t.spans[i];
  if (!s.startTimeUnixNano || s.startTimeUnixNano === '0') {
    add(i, 'warning', 'It has no start time, so it is shown where its parent begins.');
    return;
  }
  const length = Number(BigInt(s.endTimeUnixNano ?? 0) - BigInt(s.startTimeUnixNano));
  if (!s.endTimeUnixNano || s.endTimeUnixNano === '0') add(i, 'warning', 'It has no end time: it may never have been ended.');
  else if (length < 0) add(i, 'warning', `It ends ${formatDuration(-length)} before it starts, so it is shown without a length.`);

  const p = t.parent[i];
  if (p < 0) return;
  const early = t.begin[p] - t.begin[i];
  const late = t.end[i] - t.end[p];
  const answers = kindOf(t, i) === 'server' && kindOf(t, p) === 'client';
  const apart = serviceOf(t, i) !== serviceOf(t, p);
  if (early > 0) {
    add(i, 'warning', `It starts ${formatDuration(early)} before its parent: ${apart ? 'the clocks of their hosts differ by at least that much' : 'its times were not taken from one clock'}.`);
  } else if (t.begin[i] > t.end[p] && durationOf(t, p) > 0) {
    add(i, 'note', `It starts ${formatDuration(t.begin[i] - t.end[p])} after its parent ended: work that nobody waited for, or clocks that differ.`);
  } else if (late > 0 && answers) {
    add(i, 'warning', `It ends ${formatDuration(late)} after the call that it answers: the caller gave up, or the clocks of their hosts differ.`);
  } else if (late > 0) {
    add(i, 'note', `It ends ${formatDuration(late)} after its parent, which did not wait for it.`);
  }
}

function dropped(t: Trace, i: number, add: Add): void {
  const s = t.spans[i];
  for (const [n, what] of [
    [s.droppedAttributesCount, 'attribute'],
    [s.droppedEventsCount, 'event'],
    [s.droppedLinksCount, 'link'],
  ] as const) {
    if (n) add(i, 'note', `The SDK dropped ${plural(n, what)} because of its limits.`);
  }
}

function wholeTrace(t: Trace, w: Warnings): void {
  const orphans = t.roots.filter((r) => t.problems.get(r)?.some((p) => p.kind === 'missing-parent')).length;
  const roots = t.roots.length - orphans;
  if (t.count > 0 && roots === 0) w.trace.push({ tone: 'warning', text: 'The root span is not here: the trace is not whole.' });
  if (roots > 1) w.trace.push({ tone: 'warning', text: `The trace has ${roots} roots: requests that share a trace ID, or a context that got lost on the way.` });
  if (orphans > 0) w.trace.push({ tone: 'warning', text: `${plural(orphans, 'span')} without a parent in this trace.` });
}

/** How many spans have a warning; notes do not count. */
export const countWarned = (w: Warnings): number =>
  [...w.bySpan.values()].filter((list) => list.some((x) => x.tone === 'warning')).length;

export const hasWarning = (w: Warnings, i: number): boolean => w.bySpan.get(i)?.some((x) => x.tone === 'warning') ?? false;
