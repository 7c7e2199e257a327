/** Top bar: where one is, who one is, the way out. */
import { Button } from '@mantine/core';
import type { JSX } from 'react';
import { Link, useLocation } from 'wouter';
import { hasRole, type Session } from '../session/session.ts';
import { roleName } from '../words/labels.ts';
import { Mark } from './mark.tsx';

export function Header({ session, onLogout }: { session: Session; onLogout: () => void }): JSX.Element {
  return (
    <header className="header">
      <Link href="/" className="home" aria-label="Passerelle, accueil">
        <Mark />
      </Link>
      <nav aria-label="Navigation principale">
        {screensOf(session).map((screen) => (
          <NavigationLink key={screen.href} {...screen} />
        ))}
      </nav>
      <fieldset className="group who" aria-label="Utilisateur connecté">
        <Link href="/compte" className="who-name" aria-label={`Mon compte : ${session.display}`}>
          {session.display}
        </Link>
        <span className="who-role">{session.roles.map(roleName).join(', ')}</span>
        <Button variant="default" size="compact-sm" onClick={onLogout}>
          Déconnexion
        </Button>
      </fieldset>
    </header>
  );
}

/** Roles that telephone a radiologist, or answer who wants to, and those that look at rotas. */
const staff = ['secretary', 'coordinator', 'requester', 'technologist'] as const;
const asksWhoIsOnDuty = ['switchboard', ...staff] as const;
const looksAtRotas = ['administrator', 'radiologist', 'quality', ...staff] as const;

/** Screens offered to a role; the server decides what they may really read. */
export function screensOf(session: Session): { href: string; label: string }[] {
  return [
    ...(readsCases(session) ? [{ href: '/', label: 'Liste de travail' }] : []),
    ...(hasRole(session, 'requester') ? [{ href: '/demande', label: 'Nouvelle demande' }] : []),
    ...(hasRole(session, 'coordinator', 'technologist', 'quality', 'identity-vigilance')
      ? [{ href: '/identites', label: 'Images et identités à vérifier' }]
      : []),
    ...(hasRole(session, 'administrator') ? [{ href: '/comptes', label: 'Comptes' }] : []),
    ...(hasRole(session, ...asksWhoIsOnDuty) ? [{ href: '/garde', label: 'Qui est de garde' }] : []),
    ...(hasRole(session, ...looksAtRotas) ? [{ href: '/planning', label: 'Gardes' }] : []),
    ...(hasRole(session, 'coordinator', 'administrator', 'quality')
      ? [{ href: '/radiologues', label: 'Radiologues' }]
      : []),
    // The first is where a role arrives: the journal for auditors.
    ...(hasRole(session, 'auditor') ? [{ href: '/journal', label: 'Journal' }] : []),
    ...(hasRole(session, 'administrator', 'auditor') ? [{ href: '/detenteurs', label: 'Comptes techniques' }] : []),
  ];
}

export function readsCases(session: Session): boolean {
  return hasRole(
    session,
    'radiologist',
    'expert',
    'requester',
    'technologist',
    'coordinator',
    'quality',
    'identity-vigilance',
    'conformance',
  );
}

function NavigationLink({ href, label }: { href: string; label: string }): JSX.Element {
  const [location] = useLocation();
  const current = href === '/' ? location === '/' || location.startsWith('/dossier/') : location.startsWith(href);
  return (
    <Link href={href} className="nav-link" aria-current={current ? 'page' : undefined}>
      {label}
    </Link>
  );
}
