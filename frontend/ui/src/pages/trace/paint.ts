import { serviceSlot } from '../../app/service-colors';
import type { Trace } from '../../model/trace';

/** The theme's colours for a canvas, which knows no variables. */
export function cssColor(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The colour of each service of a trace, and that of errors. */
export function servicePaint(t: Trace): { service: string[]; error: string } {
  return { service: t.services.map((s) => cssColor(`--service-${serviceSlot(s)}`)), error: cssColor('--error') };
}
