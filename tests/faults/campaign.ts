import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Positions } from '#kafka_common/broker.ts';
import { withinMs } from '#service_common/within.ts';
import { createRandom } from '../../cli/demo/seeded_random.ts';
import { check } from '#tests/checker/check.ts';
import type { Evidence, Exchange, Heal, Limits, LogEntry, ViewEvidence, Violation } from '#tests/checker/evidence.ts';
import { orderIds } from '#tests/e2e/api.ts';
import { eventually } from '#tests/support/eventually.ts';
import { readCart, readLog, readView } from './collect.ts';
import type { Fault } from './fault.ts';
import type { Load } from './load.ts';
import { createStalls } from './stalls.ts';
import { createStage, type OwnStage, TOPIC } from './stage.ts';

/** The result of one row of the campaign. */
export interface RowResult {
  readonly rounds: number;
  readonly exchanges: readonly Exchange[];
  readonly heals: readonly Heal[];
  /** Events that are more than once in the raw log. */
  readonly duplicates: number;
  readonly skippedRequests: number;
  /** Peak resident memory in bytes, by service. */
  readonly peaks: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
  readonly violations: readonly Violation[];
  /** Why the row did not reach its end, or null. */
  readonly failure: string | null;
}

export interface RowOptions {
  readonly rounds: number;
  readonly short: boolean;
  /** The factor for all time limits. */
  readonly patience: number;
  readonly seed: number;
  readonly onProgress: (progress: { round: number; requests: number; violations: number }) => void;
}

const limitsFor = (patience: number): Limits => ({
  // The deadline, and half a second for the network on a busy machine.
  answerMs: 5_500 * patience,
  first200Ms: 5_000 * patience,
  agreeMs: 10_000 * patience,
  residentBytes: 256_000_000,
  clockMs: 5,
});

const STEP_MS = 600_000;
const LOAD_MS = 30_000;
/** Longer than the limit, so that a late 200 is reported with its time. */
const FIRST_200_MS = 60_000;

/** Plays a row to its end. Never rejects: an error becomes the row's failure. */
export const playRow = async (fault: Fault, options: RowOptions): Promise<RowResult> => {
  const heals: Heal[] = [];
  const found = new Map<string, Violation>();
  const stalls = createStalls();
  const usual = limitsFor(options.patience);
  const limits = { ...usual, residentBytes: fault.residentBytes ?? usual.residentBytes };
  let stage: OwnStage | null = null;
  let rounds = 0;
  let duplicates = 0;
  let failure: string | null = null;

  const judge = (evidence: Partial<Evidence>): void => {
    const processes = stage?.services.map((service) => service.evidence()) ?? [];
    const all = { exchanges: [], log: [], cart: null, view: null, heals: [], commits: [], ...evidence };
    for (const violation of check({ ...all, processes, limits })) {
      const { invariant, name, orderId, story } = violation;
      if (!fault.exempt?.includes('log') || !needsWholeLog(violation))
        found.set(`${invariant} ${name} ${orderId ?? story}`, violation);
    }
  };

  try {
    const playing = await createStage(fault, options, createRandom(`${options.seed} ${fault.name}`));
    stage = playing;
    if (fault.prepare) await withinMs(STEP_MS, fault.prepare(playing));
    playing.load.resume();
    let positions: Positions = new Map();
    for (let round = 0; round < options.rounds; round++) {
      // The check of the last round has blocked the clients' event loop, while they sent nothing.
      stalls.reset();
      const played = await playRound(fault, playing, round);
      await stalls.look(playing.services);
      heals.push(played.heal);
      const slice = await sliceOf(playing, played, positions);
      positions = slice.next;
      judge({ ...slice.evidence, heals: [played.heal] });
      playing.load.resume();
      rounds += 1;
      options.onProgress({ round: rounds, requests: playing.load.exchanges.length, violations: found.size });
      if (played.problem !== null) throw new Error(`round ${round + 1}: ${played.problem}`);
    }
    const end = await lastEvidence(playing);
    duplicates = repeatedEvents(end.log);
    judge({ ...end, heals });
    if (fault.finish) await withinMs(STEP_MS, fault.finish(playing));
  } catch (error) {
    failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  stalls.close();
  const notes = [...(stage?.notes ?? []), stalls.text()];
  if (stage !== null && (failure !== null || found.size > 0))
    notes.push(`the services' logs: ${keepLogs(fault, stage)}`);
  // Even if the row has failed: nothing that it started may outlive it.
  await stage?.close().catch((error: unknown) => (failure ??= `closing failed: ${String(error)}`));
  return {
    rounds,
    exchanges: stage?.load.exchanges ?? [],
    heals,
    duplicates,
    skippedRequests: stage?.load.skipped ?? 0,
    peaks: peaksOf(stage),
    notes,
    violations: [...found.values()],
    failure,
  };
};

interface PlayedRound {
  readonly heal: Heal;
  readonly firstNumber: number;
  readonly firstExchange: number;
  /** Why the next rounds would mean nothing, or null. */
  readonly problem: string | null;
}

/** Plays one round. Afterwards the load is paused, and cart and view agree, unless the row is exempt from that. */
const playRound = async (fault: Fault, stage: OwnStage, round: number): Promise<PlayedRound> => {
  const { load } = stage;
  const hasLoad = load.rate > 0;
  const needsFirst200 = hasLoad && !fault.exempt?.includes('first200');
  load.leaveOrders();
  const [firstNumber, firstExchange] = [load.nextOrderNumber, load.exchanges.length];
  stage.healedAt = null;
  if (hasLoad) await load.succeed(steadyWrites(load), LOAD_MS);
  await withinMs(STEP_MS, fault.run(stage, round));

  const at = stage.healedAt ?? performance.now();
  const first200At = needsFirst200
    ? await load.first200(at, FIRST_200_MS).then(
        ({ endedAt }) => endedAt,
        () => null,
      )
    : at;
  if (needsFirst200 && first200At !== null) await load.succeed(steadyWrites(load), LOAD_MS);
  await load.pause();
  let agreedAt: number | null = at;
  let problem: string | null = null;
  if (!fault.exempt?.includes('agreement')) {
    problem = await stage.level().then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    agreedAt = problem === null ? performance.now() : null;
  }
  return { heal: { at, first200At, agreedAt }, firstNumber, firstExchange, problem };
};

/** The writes of about half a second: they show that the system works before the fault and after it. */
const steadyWrites = ({ rate }: Load): number => Math.ceil(rate * 0.35);

/**
 * The evidence of one round: that of the orders which the load created in it, because their whole history is in it. The
 * other orders are checked at the end.
 */
const sliceOf = async (
  stage: OwnStage,
  { firstNumber, firstExchange, heal }: PlayedRound,
  from: Positions,
): Promise<{ evidence: Partial<Evidence>; next: Positions }> => {
  const isOurs = (orderId: string): boolean => Number(orderId.slice('ORD-'.length)) >= firstNumber;
  const exchanges = stage.load.exchanges.slice(firstExchange).filter(({ request }) => isOurs(request.orderId));
  const { entries, next } = await eventually(() => readLog(stage.broker, TOPIC, from));
  const log = entries.filter(({ event }) => event !== null && isOurs(event.orderId));
  const ids = new Set(exchanges.map(({ request }) => request.orderId));
  // A view that has not reached the end of the log proves nothing.
  const view = heal.agreedAt === null || heal.agreedAt === heal.at ? null : readView(stage.viewDirs(), ids);
  return { evidence: { exchanges, log, view, commits: view === null ? [] : await stage.commits() }, next };
};

/** Stops the services, and reads all evidence that they leave. */
const lastEvidence = async (stage: OwnStage): Promise<Partial<Evidence> & { log: readonly LogEntry[] }> => {
  await stage.load.pause();
  const listed = stage.viewDirs().length === 1 ? await orderIds(stage.order.url, TOPIC) : null;
  const exitCodes = await Promise.all(stage.services.map((service) => service.stop()));
  if (exitCodes.some((code) => code !== 0)) throw new Error(`the services ended with ${exitCodes.join(', ')}`);
  const view: ViewEvidence = readView(stage.viewDirs(), null);
  const { entries } = await eventually(() => readLog(stage.broker, TOPIC));
  return {
    exchanges: stage.load.exchanges,
    log: entries,
    cart: readCart(stage.storeDir),
    view: { ...view, listed: listed ?? view.listed },
  };
};

/** Writes the services' logs, over those of an earlier campaign. @returns their folder */
const keepLogs = ({ name }: Fault, { services }: OwnStage): string => {
  const folder = join(tmpdir(), 'order-events-faults', name);
  mkdirSync(folder, { recursive: true });
  services.forEach((service, index) => {
    writeFileSync(join(folder, `${index + 1}-${service.name}.log`), `${service.output.join('\n')}\n`);
  });
  return folder;
};

const repeatedEvents = (log: readonly LogEntry[]): number => {
  const ids = log.flatMap(({ event }) => event?.eventId ?? []);
  return ids.length - new Set(ids).size;
};

/** True for a rule that compares with the log, false for one about times and processes. */
const needsWholeLog = ({ invariant, orderId }: Violation): boolean =>
  ['I1', 'I2', 'I3', 'I5'].includes(invariant) || (invariant === 'I4' && orderId !== null);

const peaksOf = (stage: OwnStage | null): Record<string, number> => {
  const peaks: Record<string, number> = {};
  for (const service of stage?.services ?? []) {
    const { name, peakResidentBytes } = service.evidence();
    peaks[name] = Math.max(peaks[name] ?? 0, peakResidentBytes);
  }
  return peaks;
};
