/** An answer of a service, as a client sees it. */
export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: Record<string, unknown>;
}

const call = async (url: string, init: RequestInit = {}): Promise<Reply> => {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(20_000) });
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    body: (await response.json()) as Record<string, unknown>,
  };
};

const send = (method: string, url: string, body: unknown, headers: Record<string, string>): Promise<Reply> =>
  call(url, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });

export const createOrder = (cart: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  send('POST', `${cart}/create-order`, body, headers);

export const updateOrder = (cart: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  send('PUT', `${cart}/update-order`, body, headers);

export const orderDetails = (order: string, orderId: string, headers: Record<string, string> = {}): Promise<Reply> =>
  call(`${order}/order-details?orderId=${encodeURIComponent(orderId)}`, { headers });

export const orderIds = async (order: string, topicName: string): Promise<string[]> => {
  const { body } = await call(`${order}/getAllOrderIdsFromTopic?topicName=${encodeURIComponent(topicName)}`);
  return body['orderIds'] as string[];
};

export const isReady = async (service: string): Promise<boolean> =>
  (await call(`${service}/health/ready`)).status === 200;
