/** How many colours services share; styles/services.css defines them. */
export const serviceColors = 16;

/** The slot of a service's colour. It rests on the name alone, so a service
 * looks the same on every page, in every trace and for everybody. */
export function serviceSlot(name: string): number {
  let h = 0x811c9dc5; // FNV-1a
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  h ^= h >>> 15; // short names differ little in their low bits
  h = Math.imul(h, 0x2c1b3c6d);
  return ((h ^ (h >>> 13)) >>> 0) % serviceColors;
}

/** A CSS colour that follows the theme. */
export const serviceColor = (name: string): string => `var(--service-${serviceSlot(name)})`;
