/** JSON lines by pino, written without waiting; what is left is flushed when the process exits. */
import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';
import type { LogFields, Logger } from '../logger.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface PinoLoggerOptions {
  readonly level: LogLevel;
  /** Standard output or standard error, where commands print no results. */
  readonly output: 'stdout' | 'stderr';
}

/** A logger and the way to get its last lines out before a forced exit. */
export interface FlushableLogger {
  readonly logger: Logger;
  readonly flush: () => void;
}

export function pinoLogger(options: PinoLoggerOptions): FlushableLogger {
  const stream = destination({ dest: options.output === 'stdout' ? 1 : 2, sync: false });
  return { logger: loggerTo(stream, options.level), flush: () => stream.flushSync() };
}

/** Lines to any stream. */
export function loggerTo(stream: DestinationStream, level: LogLevel): Logger {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.err },
  };
  return wrap(pino(options, stream));
}

function wrap(inner: PinoLogger): Logger {
  const line = (event: string, fields: LogFields | undefined) => ({ event, ...fields });
  return {
    debug: (event, message, fields) => inner.debug(line(event, fields), message),
    info: (event, message, fields) => inner.info(line(event, fields), message),
    warn: (event, message, fields) => inner.warn(line(event, fields), message),
    error: (event, message, fields) => inner.error(line(event, fields), message),
    with: (fields) => wrap(inner.child(fields)),
  };
}
