/** `docs/events.md`: the AsyncAPI document as a page for people. */

interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
}

interface Message {
  readonly title: string;
  readonly summary: string;
  readonly payload: Schema;
  readonly examples: readonly { readonly headers?: object; readonly payload: object }[];
}

interface Part {
  readonly title: string;
  readonly address?: string;
  readonly description?: string;
  readonly action?: string;
}

interface Document {
  readonly info: { readonly description: string };
  readonly channels: Readonly<Record<string, Part>>;
  readonly operations: Readonly<Record<string, Part>>;
  readonly components: {
    readonly schemas: { readonly EventHeaders: Schema };
    readonly messages: Readonly<Record<string, Message>>;
  };
}

export const eventsSections = (document: object): string[] => {
  const { info, channels, operations, components } = JSON.parse(JSON.stringify(document)) as Document;
  return [
    info.description,
    'The same for programs: [asyncapi.json](asyncapi.json) (AsyncAPI 3). How to consume the topic: [api.md](api.md#the-topic).',
    ...Object.values(channels).map(
      ({ address, title, description }) => `- \`${address}\`: ${lowerFirst(title)}. ${description}`,
    ),
    '## Who writes and who reads',
    ...Object.values(operations).map(({ title, description }) => `- ${title}. ${description ?? ''}`.trim()),
    '## What a consumer must expect',
    CONSUMERS,
    '## What the Order Service reads',
    READING,
    '## Headers and key',
    'The key is the order id. The headers:',
    table(components.schemas.EventHeaders),
    ...Object.values(components.messages).flatMap(({ title, summary, payload, examples }) => [
      `## ${title}`,
      `${summary}.`,
      table(payload),
      ...examples.map((example) => `\`\`\`json\n${JSON.stringify(example.payload, null, 2)}\n\`\`\``),
    ]),
  ];
};

/** Each of these is in the topic of `tests/examples/invoices.test.ts`. */
const CONSUMERS = `Any program may write to the topic, so a consumer may meet each of these:

- the same event twice, or an older one after a newer one: compare \`version\`;
- events without \`version\`: recognise a repetition by \`event_id\`;
- a status before its order, from a producer that uses another key;
- tombstones (no value), bytes that are not UTF-8, text that is not JSON, and JSON that breaks the schema;
- event types and fields that it does not know.

[\`examples/3_invoices.py\`](../examples/3_invoices.py) is a consumer in Python that survives all of them.`;

/** `libs/kafka_common/amounts.test.ts` holds the service to it. */
const READING = `The Cart Service writes one strict form. The Order Service reads more, because other programs write to the topic:

- An amount that was added up from floats is the amount that it stands for: \`976.5799999999999\` USD is 976.58. It may be
  off by a part of 1e-9, and by no more than a hundredth of the smallest unit.
- An amount with more decimals than its currency (\`45.31\` JPY) is kept as it was written. The answer of the order then has
  the remark \`more_decimals_than_currency\`.
- A total that differs from the sum of its items is kept, and so are the items. The remark is \`total_differs_from_items\`.
- Only what is not an amount is a dead letter: a text, a negative number, or a number too large to be exact in the unit of
  its currency (more than 999,999,999,999,999 units). A redrive turns orders that an earlier version refused into orders.
- A version above 2,147,483,647 is a dead letter.
- An order is created once. A second \`ORDER_CREATED\`, of whatever version, changes nothing; the history of the order shows it
  as \`conflict\`. The Cart Service decides on the same state.
- An event without a version is recognised by its \`event_id\` within its \`ce_source\`; without that header, by its id alone.
- Shipping is rounded to the unit of the currency, or to the decimals of the total if it has more.`;

const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1);

const table = (schema: Schema): string =>
  [
    '| Field | Type | Meaning |',
    '| --- | --- | --- |',
    ...rowsOf(schema, '').map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');

const rowsOf = (schema: Schema, path: string): string[][] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const isOptional = schema.required?.includes(name) !== true;
    const place = `${path}${name}`;
    const meaning = [isOptional ? 'May be missing' : '', field.description ?? '']
      .filter((text) => text !== '')
      .join('. ');
    return [
      [`\`${place}\``, typeOf(field), meaning.replaceAll('|', '\\|')],
      ...rowsOf(field, `${place}.`),
      ...(field.items === undefined ? [] : rowsOf(field.items, `${place}[].`)),
    ];
  });

const LONG_LIST = 12;

const typeOf = (schema: Schema): string => {
  const { anyOf, enum: values, const: value, type } = schema;
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ');
  if (value !== undefined) return `\`${value}\``;
  if (values !== undefined) {
    const shown = values.slice(0, LONG_LIST).map((one) => `\`${one}\``);
    return `${shown.join(', ')}${values.length > LONG_LIST ? `, … (${values.length})` : ''}`;
  }
  const fields = Object.keys(schema.properties ?? {});
  const name =
    type === 'object' && fields.length > 0 ? `object of ${fields.join(', ')}` : [type ?? 'any'].flat().join(' or ');
  return [name, ...limitsOf(schema)].join(', ');
};

const limitsOf = ({ pattern, format, ...limits }: Schema): string[] => [
  ...(pattern === undefined ? (format === undefined ? [] : [format]) : [`\`${pattern.replaceAll('|', '\\|')}\``]),
  ...range(limits.minimum, limits.maximum, ''),
  ...range(limits.minLength, limits.maxLength, ' characters'),
  ...range(limits.minItems, limits.maxItems, ' of them'),
];

const range = (from: number | undefined, to: number | undefined, unit: string): string[] => {
  if (from === undefined && to === undefined) return [];
  return [to === undefined ? `${from} or more${unit}` : `${from ?? 0} to ${to}${unit}`];
};
