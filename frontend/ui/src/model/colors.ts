/** How many colours services share; styles/services.css defines them. */
export const serviceColors = 16;

/** The slot that a name asks for. It rests on the name alone. */
export function slotOfName(name: string): number {
  let h = 0x811c9dc5; // FNV-1a
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  h ^= h >>> 15; // short names differ little in their low bits
  h = Math.imul(h, 0x2c1b3c6d);
  return ((h ^ (h >>> 13)) >>> 0) % serviceColors;
}

/** The slot that a service gets beside others that have theirs: its own if it is
 * free, else the next of those that fewest services have. */
export function freeSlot(name: string, taken: Iterable<number>): number {
  const users = new Array<number>(serviceColors).fill(0);
  for (const s of taken) users[s]++;
  const fewest = Math.min(...users);
  let slot = slotOfName(name);
  while (users[slot] > fewest) slot = (slot + 7) % serviceColors; // 7 steps visit all, far apart in hue
  return slot;
}
