#!/usr/bin/env escript
%% -*- erlang -*-
%%! -kernel logger_level none

%% How long a request has to wait when the gen_server before it has just crashed under an OTP
%% supervisor. `otp.escript whereis 5000` or `otp.escript told 5000` prints one line:
%%
%%     whereis 5000 MEDIAN P99      in nanoseconds
%%
%% Both begin with a message that makes the server fail and end when its successor has answered a
%% call. With whereis, the client looks for the registered name, yielding in between, until it
%% leads to another process. With told, the successor's init sends the client a message.
%%
%% No report is made or printed: the logger's level is none. The virtual machine runs with its
%% defaults, and this script is compiled, not interpreted.

-mode(compile).
-export([init/1, handle_cast/2, handle_call/3]).

-define(NAME, server_under_test).
%% A supervisor counts its restarts in a list that it walks at every crash, so each one sees few.
-define(CRASHES_PER_SUPERVISOR, 50).
-define(WARM_UP, 2000).

main([Way, Text]) when Way =:= "whereis"; Way =:= "told" ->
    Count = list_to_integer(Text),
    Measure = case Way of "whereis" -> fun found/0; "told" -> fun told/0 end,
    _ = samples(Measure, ?WARM_UP),
    Sorted = lists:sort(samples(Measure, Count)),
    io:format("~s ~b ~b ~b~n", [Way, length(Sorted), rank(Sorted, 50), rank(Sorted, 99)]);
main(["version"]) ->
    io:format("~s~n", [erlang:system_info(otp_release)]);
main(_) ->
    io:format(standard_error, "usage: otp.escript whereis|told COUNT~n", []),
    halt(2).

rank(Sorted, Percent) ->
    lists:nth(max(1, length(Sorted) * Percent div 100), Sorted).

samples(_, Count) when Count =< 0 ->
    [];
samples(Measure, Count) ->
    {ok, Supervisor} = supervisor:start_link(?MODULE, {supervisor, self()}),
    receive {up, _} -> ok end,
    Here = min(Count, ?CRASHES_PER_SUPERVISOR),
    Times = [Measure() || _ <- lists:seq(1, Here)],
    ok = gen_server:stop(Supervisor),
    Times ++ samples(Measure, Count - Here).

%% found returns the time from a crash to an answer, asked for when the name leads to a new server.
found() ->
    Old = whereis(?NAME),
    Begin = erlang:monotonic_time(nanosecond),
    gen_server:cast(Old, crash),
    1 = gen_server:call(successor(Old), count),
    End = erlang:monotonic_time(nanosecond),
    receive {up, _} -> End - Begin end.

successor(Old) ->
    case whereis(?NAME) of
        Server when is_pid(Server), Server =/= Old -> Server;
        _ -> erlang:yield(), successor(Old)
    end.

%% told returns the time from a crash to an answer, asked for when the new server says it is there.
told() ->
    Begin = erlang:monotonic_time(nanosecond),
    gen_server:cast(?NAME, crash),
    receive {up, Server} -> 1 = gen_server:call(Server, count) end,
    erlang:monotonic_time(nanosecond) - Begin.

%% The supervisor's and the server's callbacks.

init({supervisor, Client}) ->
    Server = #{id => server, start => {gen_server, start_link, [{local, ?NAME}, ?MODULE, {server, Client}, []]}},
    {ok, {#{strategy => one_for_one, intensity => 1000000, period => 1}, [Server]}};
init({server, Client}) ->
    Client ! {up, self()},
    {ok, 0}.

handle_cast(crash, _) ->
    error(boom).

handle_call(count, _From, Count) ->
    {reply, Count + 1, Count + 1}.
