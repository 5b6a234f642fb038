/** Person is somebody who watches a service, over one connection or several. The policy of the service chooses which texts are told. */
export interface Person {
    /** The same as long as the person is there and this connection lasts. */
    id: string;
    connections: number;
    user_name?: string;
    user_uuid?: string;
    domain_name?: string;
    domain_uuid?: string;
    extensions?: string[];
}
/** News is what the router says about who watches a service (protocol 17.3). */
interface News {
    present?: Person[] | null;
    joined?: Person[];
    changed?: Person[];
    left?: string[];
}
/** People is who watches each service, as far as the router has told. */
export declare class People {
    #private;
    /** clear forgets everything: the router tells it anew over the next connection. */
    clear(): void;
    /** of returns who watches a service: null if that is told no more, undefined if it was not told yet. */
    of(service: string): Person[] | null | undefined;
    /** take notes what the router says. */
    take(service: string, { present, joined, changed, left }: News): void;
}
export {};
