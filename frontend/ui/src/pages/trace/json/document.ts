/** The trace in an answer of the API, indented. OTLP comes out as other tools
 * take it, without the envelope. Parsing loses nothing: both forms write the
 * integers that a double cannot hold as text. */
export function traceDocument(answer: string, form: 'otlp' | 'jaeger'): string {
  const parsed = JSON.parse(answer) as { result?: unknown };
  return JSON.stringify(form === 'otlp' ? (parsed.result ?? parsed) : parsed, null, 2);
}
