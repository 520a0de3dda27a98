import type { ButtonHTMLAttributes } from 'preact';
import { Icon, type IconName } from './icon';

type Props = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'icon' | 'label' | 'title'> & {
  icon: IconName;
  /** What it does; shown as a tip and read aloud. */
  label: string;
};

export function IconButton({ icon, label, ...rest }: Props) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}
