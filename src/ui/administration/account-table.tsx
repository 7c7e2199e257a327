/** Accounts as a table. */
import { Button } from '@mantine/core';
import type { JSX } from 'react';
import { ColumnHeads } from '../shell/column-heads.tsx';
import { frenchDate } from '../time/format.ts';
import { type Accounts, type ManagedAccount, meansOf } from './accounts.ts';

interface AccountTableProps {
  accounts: readonly ManagedAccount[];
  roles: Accounts['roles'];
  places: readonly { value: string; label: string }[];
  onOpen(login: string): void;
}

const columns = ['Identifiant', 'Nom', 'Rôles', 'Établissements', 'Connexion', 'Dernière utilisation', 'État'];

export function AccountTable({ accounts, roles, places, onOpen }: AccountTableProps): JSX.Element {
  const titles = new Map(roles.map(({ code, title }) => [code, title]));
  const names = new Map(places.map(({ value, label }) => [value, label]));
  return (
    <table className="plain-table">
      <caption className="hidden">Comptes</caption>
      <ColumnHeads names={columns} />
      <tbody>
        {accounts.map((account) => (
          <tr key={account.login}>
            <th scope="row">
              <Button size="compact-xs" variant="default" onClick={() => onOpen(account.login)}>
                {account.login}
              </Button>
            </th>
            <td>{account.display}</td>
            <td>{account.roles.map((role) => titles.get(role) ?? role).join(', ')}</td>
            <td>{account.establishments.map((id) => names.get(id) ?? id).join(', ') || '–'}</td>
            <td>{meansOf(account)}</td>
            <td className="cell-number">{account.lastUse === null ? 'jamais' : frenchDate(account.lastUse)}</td>
            <td>{account.disabled ? 'fermé' : 'ouvert'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
