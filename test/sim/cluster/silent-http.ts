/** Nobody asks a simulated node over HTTP. */
export const silentHttp = {
  route: () => undefined,
  listen: (_host: string, port: number) => Promise.resolve(port),
  close: () => Promise.resolve(),
};
