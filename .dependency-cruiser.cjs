// The import law between the rooms: each room lists the rooms it may import; anything else fails the build.
const rooms = {
  config: [],
  db: ['config'],
  vault: ['config'],
  sockets: [],
  fhir: ['vault', 'db', 'config'],
  access: ['vault', 'fhir', 'db', 'config'],
  imaging: ['vault', 'fhir', 'db', 'config'],
  delivery: ['vault', 'fhir', 'db', 'config'],
  report: ['vault', 'fhir', 'config'],
  teleradiology: ['fhir', 'access', 'db', 'config'],
  adapters: ['teleradiology', 'report', 'imaging', 'delivery', 'access', 'fhir', 'sockets', 'db', 'config'],
  ui: [],
};

/** The domain sees only the interfaces of these rooms. */
const interfacesOnly = ['imaging', 'report', 'delivery'];

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(rooms).map(([room, allowed]) => ({
      name: `${room}-imports`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: {
        path: '^src/',
        pathNot: [
          `^src/${room}/`,
          ...allowed.map((name) => `^src/${name}/`),
          ...(room === 'teleradiology' ? interfacesOnly.map((name) => `^src/${name}/contract\\.ts$`) : []),
        ],
      },
    })),
    {
      name: 'rooms-by-their-index',
      comment: 'Another room is entered by its index or its contract.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: {
        path: '^src/([^/]+)/.+',
        pathNot: ['^src/$1/', '^src/[^/]+/(index|contract)\\.ts$', '^src/adapters/[^/]+/(index|contract)\\.ts$'],
      },
    },
    {
      name: 'adapters-apart',
      comment: 'One protocol does not lean on another.',
      severity: 'error',
      from: { path: '^src/adapters/([^/]+)/' },
      to: { path: '^src/adapters/', pathNot: '^src/adapters/$1/' },
    },
    { name: 'no-test-in-source', severity: 'error', from: { path: '^src/' }, to: { path: '^test/' } },
    {
      name: 'no-undeclared-package',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'], exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
