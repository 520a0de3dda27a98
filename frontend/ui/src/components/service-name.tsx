import { serviceColor } from '../app/service-colors';

/** A service in its colour, the same on every page. */
export function ServiceName({ name }: { name: string }) {
  return (
    <span class="service-name">
      <span class="swatch" style={{ background: serviceColor(name) }} />
      {name}
    </span>
  );
}
