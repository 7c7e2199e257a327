/** The application: login when there is no session, else the screens of the role. The route survives the login. */
import { Loader } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type JSX, lazy, Suspense, useState } from 'react';
import { flushSync } from 'react-dom';
import { Redirect, Route, Switch, useLocation } from 'wouter';
import { AccountsPage } from './administration/accounts-page.tsx';
import { TechnicalAccountsPage } from './administration/technical-accounts-page.tsx';
import { JournalPage } from './audit/journal-page.tsx';
import { useServices } from './fhir/client-context.tsx';
import { IdentityPage } from './identity/identity-page.tsx';
import { LiveCasesProvider } from './live/live-cases.tsx';
import { BackToConsent } from './session/back-to-consent.tsx';
import { sessionElsewhere } from './session/identity-providers.tsx';
import { InTenant } from './session/in-tenant.tsx';
import { LoginPage } from './session/login-page.tsx';
import { currentSession, logout, type Session } from './session/session.ts';
import { SessionContext } from './session/session-context.tsx';
import { ErrorBanner } from './shell/error-banner.tsx';
import { Header, readsCases, screensOf } from './shell/header.tsx';
import { OfflineBanner } from './shell/offline-banner.tsx';
import { WorklistPage } from './worklist/worklist-page.tsx';

const AccountPage = lazy(() => import('./account/account-page.tsx'));
const CasePage = lazy(() => import('./case/case-page.tsx'));
const RequestPage = lazy(() => import('./request/request-page.tsx'));
const RotaPage = lazy(() => import('./rota/rota-page.tsx'));
const ReadersPage = lazy(() => import('./rota/readers-page.tsx'));
const OnDutyPage = lazy(() => import('./rota/on-duty-page.tsx'));

/** @param expired whether a session was lost while the application ran. */
export function App({ expired, onLoggedIn }: { expired: boolean; onLoggedIn: () => void }): JSX.Element {
  const { client, drafts } = useServices();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const [leaving, setLeaving] = useState(false);
  const session = useQuery({
    queryKey: ['session'],
    queryFn: async ({ signal }) => (await currentSession(client, signal)) ?? null,
    staleTime: Number.POSITIVE_INFINITY,
  });
  // Nothing of one person's session is shown to the next; the session's own entry stays, this component watches it.
  const forgetEverything = (): void =>
    queries.removeQueries({ predicate: ({ queryKey }) => !kept.includes(queryKey[0]) });
  if (session.isPending) return <Loader className="centre" aria-label="Chargement" />;
  if (session.isError) return <ErrorBanner error={session.error} onRetry={() => void session.refetch()} />;
  if (session.data === null) {
    return (
      <LoginPage
        expired={expired}
        onLogin={(opened) => {
          forgetEverything();
          queries.setQueryData(['session'], opened);
          onLoggedIn();
        }}
      />
    );
  }
  const leave = async (): Promise<void> => {
    // Taking the screens down saves a draft being written, which needs the session still.
    flushSync(() => setLeaving(true));
    await drafts.settled();
    await logout(client).catch(() => undefined);
    const elsewhere = await sessionElsewhere().catch(() => undefined);
    if (elsewhere !== undefined) return window.location.assign(elsewhere);
    forgetEverything();
    queries.setQueryData(['session'], null);
    // The next person may not be the same: the route is kept for a session that expired, not for one that was closed.
    navigate('/');
    setLeaving(false);
  };
  if (leaving) return <Loader className="centre" aria-label="Déconnexion" />;
  return <Screens session={session.data} onLogout={() => void leave()} />;
}

/** Cache entries that hold nobody's data: who is connected, and that the image library runs. */
const kept: readonly unknown[] = ['session', 'viewer-engine'];

function Screens({ session, onLogout }: { session: Session; onLogout: () => void }): JSX.Element {
  const home = readsCases(session) ? undefined : screensOf(session)[0]?.href;
  return (
    <SessionContext value={session}>
      <LiveCasesProvider>
        <a className="skip" href="#contenu">
          Aller au contenu
        </a>
        <Header session={session} onLogout={onLogout} />
        <OfflineBanner />
        <main id="contenu" className="content" tabIndex={-1}>
          <Suspense fallback={<Loader className="centre" aria-label="Chargement" />}>
            <Switch>
              <Route path="/">
                {home ? <Redirect to={home} /> : readsCases(session) ? <WorklistPage /> : <NothingHere />}
              </Route>
              <Route path="/dossier/:id">{({ id }) => <CasePage key={id} id={id} />}</Route>
              <Route path="/dossier/:tenant/:id">
                {({ tenant, id }) => (
                  <InTenant key={tenant} tenant={tenant} otherwise={<NotFound />}>
                    <CasePage key={id} id={id} />
                  </InTenant>
                )}
              </Route>
              <Route path="/demande">
                <RequestPage />
              </Route>
              <Route path="/identites">
                <IdentityPage />
              </Route>
              <Route path="/planning">
                <RotaPage />
              </Route>
              <Route path="/radiologues">
                <ReadersPage />
              </Route>
              <Route path="/garde">
                <OnDutyPage />
              </Route>
              <Route path="/garde/:id">{({ id }) => <OnDutyPage key={id} id={id} />}</Route>
              <Route path="/compte">
                <AccountPage />
              </Route>
              <Route path="/autorisation">
                <BackToConsent />
              </Route>
              <Route path="/comptes">
                <AccountsPage />
              </Route>
              <Route path="/detenteurs">
                <TechnicalAccountsPage />
              </Route>
              <Route path="/journal">
                <JournalPage />
              </Route>
              <Route>
                <NotFound />
              </Route>
            </Switch>
          </Suspense>
        </main>
      </LiveCasesProvider>
    </SessionContext>
  );
}

function NothingHere(): JSX.Element {
  return (
    <section className="page">
      <h1>Bienvenue</h1>
      <p>Votre rôle ne donne pas accès aux dossiers des patients.</p>
    </section>
  );
}

function NotFound(): JSX.Element {
  return (
    <section className="page">
      <h1>Page introuvable</h1>
      <p>
        <a href="/">Revenir à la liste de travail</a>
      </p>
    </section>
  );
}
