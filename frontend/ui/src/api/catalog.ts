import { getJSON, type Answer } from './http';

/** The names of all services, sorted. */
export async function getServices(signal?: AbortSignal): Promise<Answer<string[]>> {
  const a = await getJSON<{ services: string[] }>('api/v3/services', {}, signal);
  return { ...a, value: a.value.services };
}

export interface Operation {
  name: string;
  /** Lower case: "server", "internal", … */
  spanKind: string;
}

/** The operations of a service, sorted by name and kind. */
export async function getOperations(service: string, signal?: AbortSignal): Promise<Answer<Operation[]>> {
  const a = await getJSON<{ operations: Operation[] }>('api/v3/operations', { service }, signal);
  return { ...a, value: a.value.operations };
}
