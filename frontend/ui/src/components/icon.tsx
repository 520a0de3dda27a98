// Icons are drawn on a grid of 16 with one stroke, in the colour of the text.
const paths = {
  clew: 'M8 1.7a6.3 6.3 0 1 0 0 12.6 6.3 6.3 0 0 0 0-12.6M2.7 11.5C4 6 7.3 3.7 13 4.7M5 13.5C6 8.5 9 6 14.2 6.8M8.3 14.2c.5-3 2.4-4.9 5.7-5.2M11 13c1.3 1.5 2.7 2 4.3 2',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3 14 14',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3.05 3.05l1.05 1.05M11.9 11.9l1.05 1.05M3.05 12.95l1.05-1.05M11.9 4.1l1.05-1.05',
  moon: 'M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5 5.8 5.8 0 1 0 13.5 9.6',
  help: 'M8 1.7a6.3 6.3 0 1 0 0 12.6A6.3 6.3 0 0 0 8 1.7M6.2 6.3a1.85 1.85 0 1 1 2.7 1.6c-.6.3-.9.7-.9 1.3M8 11.3v.2',
  close: 'M4 4l8 8M12 4l-8 8',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  check: 'M3 8.5 6.5 12 13 4.5',
  filter: 'M2 3.5h12L9.5 9v4.5l-3-1.5V9z',
  link: 'M7 9a2.7 2.7 0 0 0 4 .2l2-2a2.75 2.75 0 0 0-3.9-3.9l-1 1M9 7a2.7 2.7 0 0 0-4-.2l-2 2a2.75 2.75 0 0 0 3.9 3.9l1-1',
  warning: 'M8 2 1.5 13.5h13zM8 6.5v3.2M8 11.6v.2',
  info: 'M8 1.7a6.3 6.3 0 1 0 0 12.6A6.3 6.3 0 0 0 8 1.7M8 7.3v4M8 5v.2',
  error: 'M8 1.7a6.3 6.3 0 1 0 0 12.6A6.3 6.3 0 0 0 8 1.7M8 4.7v4M8 11v.2',
  up: 'M3.5 10 8 5.5l4.5 4.5',
  down: 'M3.5 6 8 10.5 12.5 6',
  right: 'M6 3.5 10.5 8 6 12.5',
  fold: 'M4.5 2.5 8 6l3.5-3.5M4.5 13.5 8 10l3.5 3.5',
  unfold: 'M4.5 6.5 8 3l3.5 3.5M4.5 9.5 8 13l3.5-3.5',
  plus: 'M8 3.5v9M3.5 8h9',
  minus: 'M3.5 8h9',
  download: 'M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11',
  refresh: 'M13.2 6.3A5.6 5.6 0 1 0 13.4 9.6M13.5 2.7v3.8H9.7',
  external: 'M6 3H3v10h10v-3M9 2.5h4.5V7M13.3 2.7 7.5 8.5',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
