/** Entry of the browser application: services made once, handed down by context. */
import '@mantine/core/styles.css';
import './styles/base.css';
import './styles/worklist.css';
import './styles/case.css';
import './styles/account.css';
import './styles/rota.css';
import { MantineProvider } from '@mantine/core';
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { type JSX, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { createFhirClient } from './fhir/client.ts';
import { ServicesContext } from './fhir/client-context.tsx';
import { createUnsavedDrafts } from './report/unsaved-drafts.ts';
import { createQueryClient } from './shell/query-client.ts';
import { theme } from './theme.ts';
import { createServerClock } from './time/server-clock.ts';

const clock = createServerClock(() => Date.now());
const services = { clock, client: createFhirClient(clock), drafts: createUnsavedDrafts() };

function Root(): JSX.Element {
  const [expired, setExpired] = useState(false);
  const [queries] = useState((): QueryClient => {
    const client = createQueryClient(() => {
      if (!client.getQueryData(['session'])) return;
      setExpired(true);
      client.setQueryData(['session'], null);
    });
    return client;
  });
  return (
    // Theme variables come from our stylesheets, so that the content security policy needs no inline style.
    <MantineProvider theme={theme} forceColorScheme="dark" withCssVariables={false} withGlobalClasses={false}>
      <QueryClientProvider client={queries}>
        <ServicesContext value={services}>
          <App expired={expired} onLoggedIn={() => setExpired(false)} />
        </ServicesContext>
      </QueryClientProvider>
    </MantineProvider>
  );
}

const place = document.getElementById('racine');
if (!place) throw new Error('#racine is missing from index.html');
createRoot(place).render(
  <StrictMode>
    <Root />
  </StrictMode>,
);
