import type { ComponentChildren } from 'preact';
import { incompleteText, type Completeness } from '../api/completeness';
import { Icon } from './icon';

/** A line above content that is shown but needs a word. */
export function Banner({ children, onRetry }: { children: ComponentChildren; onRetry?: () => void }) {
  return (
    <div class="banner" role="status">
      <Icon name="warning" />
      <div>{children}</div>
      {onRetry && <button type="button" onClick={onRetry}>Try again</button>}
    </div>
  );
}

/** Says that an answer is partial. Nothing for a complete one. */
export function IncompleteBanner({ of, onRetry }: { of: Completeness | null; onRetry?: () => void }) {
  if (!of) return null;
  return <Banner onRetry={onRetry}><strong>This answer is incomplete.</strong> {incompleteText(of)}</Banner>;
}
