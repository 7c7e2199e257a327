/** The store as every room gets it: what is written as a Subscription has the values of its headers sealed (headers.ts). */
import type { Resource } from '@medplum/fhirtypes';
import type { RestStore, RestTransaction } from '../store/contract.ts';
import { dropSeals, type HeaderSealer, sealHeaders } from './headers.ts';

export function withSealedHeaders(store: RestStore, sealer: HeaderSealer): RestStore {
  const sealing =
    <T>(work: (tx: RestTransaction) => Promise<T>) =>
    (tx: RestTransaction) =>
      work(sealingTransaction(tx, sealer));
  return {
    ...store,
    transaction: (context, work) => store.restTransaction(context, sealing(work)),
    restTransaction: (context, work) => store.restTransaction(context, sealing(work)),
  };
}

/** The same object, since rooms remember things by the transaction, and hooks are given it too. */
function sealingTransaction(tx: RestTransaction, sealer: HeaderSealer): RestTransaction {
  const { create, createIfNone, update, updateIfOne } = tx;
  const sealed = <R extends Resource>(resource: R): R | Promise<R> =>
    // Nearly every write is of another type and pays nothing.
    resource?.resourceType === 'Subscription' ? sealHeaders(tx, resource, sealer) : resource;
  const sealing: Pick<RestTransaction, 'create' | 'createIfNone' | 'update' | 'updateIfOne'> = {
    create(resource) {
      const offered = sealed(resource);
      return offered instanceof Promise ? offered.then((held) => create(held)) : create(offered);
    },
    async createIfNone(resource, criteria) {
      const offered = await sealed(resource);
      const answer = await createIfNone(offered, criteria);
      // There is one already: what was sealed for another is nobody's.
      if (!answer.created && offered.resourceType === 'Subscription') await dropSeals(tx, offered);
      return answer;
    },
    update: async (resource, options) => update(await sealed(resource), options),
    updateIfOne: async (resource, criteria, options) => updateIfOne(await sealed(resource), criteria, options),
  };
  return Object.assign(tx, sealing);
}
