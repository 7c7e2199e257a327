/** Applications tierces : ouvertes sur ce dossier, dans un onglet à elles. */
import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import type { JSX } from 'react';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { launchAddress, openableApps } from './applications.ts';
import { Panel } from './panel.tsx';

export function ApplicationsPanel({ taskId }: { taskId: string }): JSX.Element | null {
  const apps = useQuery({ queryKey: ['applications'], queryFn: openableApps, staleTime: Number.POSITIVE_INFINITY });
  const open = useMutation({
    mutationFn: async ({ app, tab }: { app: string; tab: Window | null }) => {
      try {
        const address = await launchAddress(app, taskId);
        if (tab) tab.location.replace(address);
      } catch (error) {
        tab?.close();
        throw error;
      }
    },
  });
  const list = apps.data ?? [];
  if (list.length === 0) return null;
  const openApp = (app: string) => {
    // A tab opened after waiting would be taken for an advertisement; the app must not reach back into our page.
    const tab = window.open('about:blank', '_blank');
    if (tab) tab.opener = null;
    open.mutate({ app, tab });
  };
  return (
    <Panel title="Applications">
      {open.isError ? <ErrorBanner error={open.error} /> : null}
      <div className="actions">
        {list.map(({ id, name }) => (
          <Button key={id} size="compact-sm" variant="default" loading={open.isPending} onClick={() => openApp(id)}>
            Ouvrir {name}
          </Button>
        ))}
      </div>
    </Panel>
  );
}
