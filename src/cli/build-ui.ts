import { buildUserInterfaceIfNeeded } from './user-interface.ts';

/** Builds the browser application into `dist/ui`; what `npm start` does by itself, for images and packages. */
export async function buildUi(): Promise<number> {
  await buildUserInterfaceIfNeeded();
  return 0;
}
