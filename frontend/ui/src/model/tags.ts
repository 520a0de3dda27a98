// Tags are written as logfmt, key=value pairs with spaces in between, and are
// an object of strings in addresses and for the API.

export type Tags = Record<string, string>;

export type ParsedTags = { tags: Tags } | { error: string };

/** Reads `error=true http.status_code=500 user.id="a b"`. A value in quotes is
 * a string of JSON. */
export function parseTags(text: string): ParsedTags {
  const tags = new Map<string, string>();
  let rest = text.trim();
  while (rest) {
    const m = /^([^\s="]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?=\s|$)/.exec(rest);
    if (!m) return { error: explain(rest) };
    const [all, key, raw] = m;
    if (tags.has(key)) return { error: `${key} is there twice: each key can be asked for once.` };
    if (raw.startsWith('"')) {
      try {
        tags.set(key, JSON.parse(raw) as string);
      } catch {
        return { error: `The quoted value of ${key} cannot be read: inside quotes, write \\" for a quote and \\\\ for a backslash.` };
      }
    } else tags.set(key, raw);
    rest = rest.slice(all.length).trim();
  }
  return { tags: Object.fromEntries(tags) };
}

function explain(rest: string): string {
  const word = rest.split(/\s/, 1)[0];
  if (word.startsWith('=')) return `There is no key before ${word}`;
  if (!word.includes('=')) return `${word} has no value: write ${word}=value.`;
  const value = word.slice(word.indexOf('=') + 1);
  if (value.startsWith('"')) return `The quotes around the value of ${word.slice(0, word.indexOf('='))} do not end where the value does.`;
  return `${word} cannot be read: put values with quotes or spaces in quotes, as in user.id="a b".`;
}

/** The text that parseTags reads back. */
export const formatTags = (tags: Tags): string =>
  Object.entries(tags).map(([k, v]) => `${k}=${/[\s"]/.test(v) ? JSON.stringify(v) : v}`).join(' ');

/** The text of tags in an address: an object in JSON, or logfmt as it is.
 * Numbers and booleans in the object count as their text. */
export function tagsFromAddress(text: string): string {
  if (!text.trim().startsWith('{')) return text;
  try {
    const all: Tags = {};
    for (const [k, v] of Object.entries(JSON.parse(text) as Record<string, unknown>)) {
      if (v === null || typeof v === 'object') return text;
      all[k] = String(v);
    }
    return formatTags(all);
  } catch {
    return text;
  }
}

/** The text with one tag added, replaced or (value null) removed; a text that
 * cannot be read is left alone. */
export function withTag(text: string, key: string, value: string | null): string {
  const parsed = parseTags(text);
  if ('error' in parsed) return text;
  const { [key]: _, ...rest } = parsed.tags;
  return formatTags(value === null ? rest : { ...rest, [key]: value });
}
