/** A trace ID as the API writes it, 32 lower-case digits, or null if the text
 * is none. Short ones are padded, as old clients leave out leading zeros. */
export function parseTraceID(text: string): string | null {
  const id = text.trim().toLowerCase().replace(/^0x/, '');
  if (!/^[0-9a-f]{1,32}$/.test(id) || /^0+$/.test(id)) return null;
  return id.padStart(32, '0');
}

export const isSpanID = (text: string): boolean => /^[0-9a-f]{16}$/i.test(text);
