// From a path of the API, as pages write it, to what it answers and takes. For
// the checker only.
import type { Answers, Bodies } from './types';

// Segment is a segment of a path, and {} for one that is filled in.
type Segment<S extends string> = {} extends Record<S, 1> ? '{}' : S extends `{${string}}` ? '{}' : S;
type Bare<P extends string> = P extends `${infer A}?${string}` ? A : P;

// Shape is a path without its query and its names: /api/v1/signs/{}/day.
type Shape<P extends string> = P extends `${infer A}/${infer B}` ? `${Segment<A>}/${Shape<B>}` : Segment<Bare<P>>;
type Operation<K> = K extends `${infer M} ${infer P}` ? `${M} ${Shape<P>}` : never;

type AnswerOf = { [K in keyof Answers as Operation<K>]: Answers[K] };
type BodyOf = { [K in keyof Bodies as Operation<K>]: Bodies[K] };

// Answer is what a request answers; any where the path is not written out.
export type Answer<M extends string, P extends string> =
  `${M} ${Shape<P>}` extends keyof AnswerOf ? AnswerOf[`${M} ${Shape<P>}`] : any;

// Body is what a request takes. The path fills in what it names: id and owner.
export type Body<M extends string, P extends string> =
  `${M} ${Shape<P>}` extends keyof BodyOf ? Partial<BodyOf[`${M} ${Shape<P>}`]> : any;

export type Items<P extends string> = Answer<'GET', P> extends { items: infer T } ? T : any;
