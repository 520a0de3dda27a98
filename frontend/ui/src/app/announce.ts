import { createStore } from './store';

/** The last thing said to screen readers; the shell holds the live region. */
export const announcement = createStore('');

export const announce = (text: string): void => announcement.set(text);
