/** What the browser's tab and history call the page (RGAA 8.6). */
import { useEffect } from 'react';

export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} – Passerelle`;
  }, [title]);
}
