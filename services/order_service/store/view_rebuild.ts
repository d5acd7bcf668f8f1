import type { PartitionPosition, ViewQueries, ViewWriter } from '#order_service/consumer_db.ts';

/**
 * The seam for rebuilding the view from the log. A second view is built while services go on using the live one. Then
 * the two are compared, and the second one takes the place of the live one.
 */
export interface ViewRebuild {
  /** The second view. It is empty when the rebuild begins. */
  readonly db: ViewWriter & Pick<ViewQueries, 'counts'>;
  /** The live view at this moment; null if there is none. @throws StoreError if it cannot be read */
  readonly openLive: () => ViewSnapshot | null;
  /** The second view at this moment. @throws StoreError if it cannot be read */
  readonly openRebuilt: () => ViewSnapshot;
  /** Puts the second view in the place of the live one. Nothing may be applied to it afterwards. @throws StoreError */
  readonly exchange: () => Promise<Exchange>;
  /** Removes what was built, unless it was exchanged, and ends the rebuild. */
  readonly close: () => Promise<void>;
}

export type Exchange =
  /** `former`: where the view is that was live before; null if there was none. */
  | { readonly kind: 'exchanged'; readonly former: string | null }
  /** A service uses the live view. It takes the second view up when it starts next; until then that view is at `rebuilt`. */
  | { readonly kind: 'postponed'; readonly rebuilt: string };

/** A view as it is at one moment, also while a service writes to it. */
export interface ViewSnapshot {
  readonly positions: (topic: string) => readonly PartitionPosition[];
  /** Sorted by id, in the order of characters. */
  readonly orders: () => Iterable<SnapshotOrder>;
  readonly close: () => void;
}

/** An order or a pending status. */
export interface SnapshotOrder {
  readonly orderId: string;
  readonly version: number;
  readonly status: string;
  /** The order as JSON; null for a pending status. */
  readonly body: string | null;
}
