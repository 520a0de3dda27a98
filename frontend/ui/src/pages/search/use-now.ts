import { useEffect, useState } from 'preact/hooks';

/** The time in milliseconds, renewed at an interval, for ages that are shown. */
export function useNow(every: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
