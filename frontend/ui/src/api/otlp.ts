// OTLP as JSON: 64-bit numbers are strings, IDs hexadecimal, bytes base64.

export interface OTLPValue {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string | number;
  /** "NaN", "Infinity" and "-Infinity" come as text. */
  doubleValue?: number | string;
  bytesValue?: string;
  arrayValue?: { values?: OTLPValue[] };
  kvlistValue?: { values?: OTLPKeyValue[] };
}

export interface OTLPKeyValue {
  key: string;
  value?: OTLPValue;
}

export interface OTLPEvent {
  timeUnixNano?: string;
  name?: string;
  attributes?: OTLPKeyValue[];
  droppedAttributesCount?: number;
}

export interface OTLPLink {
  traceId?: string;
  spanId?: string;
  traceState?: string;
  attributes?: OTLPKeyValue[];
  droppedAttributesCount?: number;
}

export interface OTLPSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  traceState?: string;
  name?: string;
  /** 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind?: number;
  startTimeUnixNano?: string;
  endTimeUnixNano?: string;
  attributes?: OTLPKeyValue[];
  droppedAttributesCount?: number;
  events?: OTLPEvent[];
  droppedEventsCount?: number;
  links?: OTLPLink[];
  droppedLinksCount?: number;
  status?: { message?: string; code?: number };
  flags?: number;
}

export interface OTLPScopeSpans {
  scope?: { name?: string; version?: string; attributes?: OTLPKeyValue[]; droppedAttributesCount?: number };
  spans?: OTLPSpan[];
  schemaUrl?: string;
}

export interface OTLPResourceSpans {
  resource?: { attributes?: OTLPKeyValue[]; droppedAttributesCount?: number };
  scopeSpans?: OTLPScopeSpans[];
  schemaUrl?: string;
}

export interface OTLPTraces {
  resourceSpans?: OTLPResourceSpans[];
}
