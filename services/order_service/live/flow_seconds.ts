import type { EventFeed } from './event_feed.ts';
import type { Flow } from './flow.ts';
import type { FlowSamples } from './flow_samples.ts';

/** Ends a second of the samples, and sends the flow to those who subscribed to it. Every second, until the signal aborts. */
export const countSeconds = (
  { samples, feed, flow }: { samples: Pick<FlowSamples, 'tick'>; feed: EventFeed; flow: Pick<Flow, 'state'> },
  signal: AbortSignal,
): void => {
  const seconds = setInterval(() => {
    samples.tick();
    if (feed.hasFlowSubscribers) void flow.state('last').then(feed.sendFlow, () => {});
  }, 1_000);
  signal.addEventListener('abort', () => clearInterval(seconds), { once: true });
};
