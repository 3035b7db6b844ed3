/**
 * The layers of the house. A rule that fires says what to do instead; there is no list of exceptions.
 * The picture behind it: docs/architecture.md.
 */
const outside = (...own) => `^(?!${own.map((p) => `(${p})`).join('|')})`;

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Two files that need each other are one idea, or need a third that both may see.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'proto-stands-alone',
      comment: 'proto/ is the contract layer: move what it needs into proto/, or pass it in.',
      severity: 'error',
      from: { path: '^proto/' },
      to: { path: '^(broker|controller|client|bench|test)/' },
    },
    {
      name: 'broker-meets-others-on-the-wire',
      comment:
        'broker/ may see proto/ only. What two of them share is a contract: put it in proto/. Only broker/main composes.',
      severity: 'error',
      from: { path: '^broker/', pathNot: '^broker/main/' },
      to: { path: '^(controller|client|bench|test)/' },
    },
    {
      name: 'controller-meets-others-on-the-wire',
      comment:
        'controller/ may see proto/ only. What two of them share is a contract: put it in proto/.',
      severity: 'error',
      from: { path: '^controller/' },
      to: { path: '^(broker|client|bench|test)/' },
    },
    {
      name: 'client-meets-others-on-the-wire',
      comment:
        'client/ may see proto/ only: a client must load without the server. Put contracts in proto/.',
      severity: 'error',
      from: { path: '^client/' },
      to: { path: '^(broker|controller|bench|test)/' },
    },
    {
      name: 'product-never-loads-tests',
      comment: 'Test and bench code is not shipped: move what the product needs into the product.',
      severity: 'error',
      from: { path: '^(proto|broker|controller|client)/' },
      to: { path: '^(bench|test)/' },
    },
    {
      name: 'core-does-no-io',
      comment:
        'A core/ folder is pure: no npm package and no node: module. Return an effect and let the driver run it.',
      severity: 'error',
      from: { path: '(^|/)core/', pathNot: '^(test|bench)/' },
      to: { dependencyTypes: ['npm', 'core'] },
    },
    {
      name: 'core-sees-only-cores-and-the-model',
      comment:
        'A core imports its own core/ folder, proto/model, proto/wire, proto/metadata and proto/dashboard. Let the shell translate the rest.',
      severity: 'error',
      from: { path: ['^broker/.*core/', '^controller/.*core/', '^client/.*core/'] },
      to: {
        path: '^(proto|broker|controller|client)/',
        pathNot: '/core/|^proto/(model|metadata|wire|dashboard)/',
      },
    },
    {
      name: 'model-and-metadata-are-pure',
      comment:
        'proto/model, metadata and dashboard import nothing but each other and generated types.',
      severity: 'error',
      from: { path: '^proto/(model|metadata|dashboard)/' },
      to: { pathNot: '^proto/(model|metadata|dashboard|generated)/' },
    },
    {
      name: 'ports-name-no-implementation',
      comment:
        'A port is an interface. Implementations live in proto/ports/node and proto/ports/memory.',
      severity: 'error',
      from: { path: '^proto/ports/[^/]+\\.ts$' },
      to: { pathNot: '^proto/(ports/[^/]+\\.ts$|model/|generated/)' },
    },
    {
      name: 'grpc-has-one-owner',
      comment: 'Only proto/rpc knows grpc-js and proto-loader: use the RPC port.',
      severity: 'error',
      from: { path: outside('proto/rpc/', 'test/', 'bench/') },
      to: { path: 'node_modules/@grpc/' },
    },
    {
      name: 'protobufjs-has-one-owner',
      comment:
        'Only the generated code, its generator and proto/rpc know protobufjs: import the generated types.',
      severity: 'error',
      from: {
        path: outside('proto/rpc/', 'proto/generated/', 'proto/codegen/', 'test/', 'bench/'),
      },
      to: { path: 'node_modules/protobufjs' },
    },
    {
      name: 'sockets-have-one-owner',
      comment: 'node:net and node:tls belong to the link (proto/link/node): use the link port.',
      severity: 'error',
      from: { path: outside('proto/link/node/', 'test/', 'bench/') },
      to: { path: '^(node:)?(net|tls)$' },
    },
    {
      name: 'http-has-one-owner',
      comment:
        'node:http belongs to the HTTP side of a node (broker/http); composition roots may ask /readyz.',
      severity: 'error',
      from: { path: outside('broker/http/', 'broker/main/', 'test/', 'bench/') },
      to: { path: '^(node:)?(http|https|http2)$' },
    },
    {
      name: 'file-system-has-one-owner',
      comment:
        'node:fs belongs to the file-system port: take a FileSystem. Composition roots may read configuration.',
      severity: 'error',
      from: {
        path: outside(
          'proto/ports/node/',
          'proto/codegen/',
          'broker/main/',
          'client/cli/',
          'test/',
          'bench/',
        ),
      },
      to: { path: '^(node:)?fs(/promises)?$' },
    },
    {
      name: 'lmdb-has-one-owner',
      comment: 'Only the key-value port knows lmdb: take a KeyValueStore.',
      severity: 'error',
      from: { path: outside('proto/ports/node/', 'test/', 'bench/') },
      to: { path: 'node_modules/lmdb' },
    },
    {
      name: 'pino-has-one-owner',
      comment: 'Only the logger port knows pino: take a Logger.',
      severity: 'error',
      from: { path: outside('proto/ports/node/') },
      to: { path: 'node_modules/pino' },
    },
    {
      name: 'client-loads-no-server',
      comment: 'What a client imports never loads lmdb or pino: take the port as an argument.',
      severity: 'error',
      from: { path: '^client/' },
      to: { reachable: true, path: 'node_modules/(lmdb|pino)/' },
    },
    {
      name: 'dashboard-runs-in-a-browser',
      comment:
        'client/dashboard is loaded by a browser as it is: its own modules, the messages of proto/dashboard and uplot.',
      severity: 'error',
      from: { path: '^client/dashboard/' },
      to: { pathNot: '^(client/dashboard/|proto/dashboard/|node_modules/uplot/)' },
    },
    {
      name: 'dashboard-is-no-library',
      comment:
        'client/dashboard belongs to the browser: put what others need into proto/dashboard.',
      severity: 'error',
      from: { path: '^(proto|broker|controller|client)/', pathNot: '^client/dashboard/' },
      to: { path: '^client/dashboard/' },
    },
    {
      name: 'no-orphans',
      comment: 'Nobody imports this file: connect it or delete it.',
      severity: 'error',
      from: { orphan: true, path: '^(proto|broker|controller|client)/', pathNot: '\\.d\\.ts$' },
      to: {},
    },
    {
      name: 'declared-dependencies-only',
      comment: 'The product imports what package.json declares under dependencies.',
      severity: 'error',
      from: { path: '^(proto|broker|controller|client)/', pathNot: '^proto/codegen/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'types'],
    },
  },
};
