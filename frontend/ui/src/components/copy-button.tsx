import { useEffect, useState } from 'preact/hooks';
import { announce } from '../app/announce';
import { IconButton } from './icon-button';

export function CopyButton({ text, what }: { text: string | (() => string); what: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1200);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async () => {
    const ok = await copyText(typeof text === 'string' ? text : text());
    setDone(ok);
    announce(ok ? `Copied ${what}` : 'The browser does not allow copying');
  };
  return <IconButton icon={done ? 'check' : 'copy'} label={`Copy ${what}`} onClick={copy} />;
}

/** Copies text. navigator.clipboard exists only on https and localhost, and
 * many tracing backends are reached over plain http inside a cluster. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'sr-only';
    const back = document.activeElement;
    document.body.append(area);
    area.select();
    const ok = document.execCommand('copy');
    area.remove();
    if (back instanceof HTMLElement) back.focus();
    return ok;
  }
}
