#!/usr/bin/env python3
"""`tocsin scan` and `tocsin hunt` over messages at rest, as an operator runs them."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
import wrap

BUILD = os.environ.get('builddir', '.')
TOCSIN = os.path.join(BUILD, 'tocsin')
CASES = []

CONF = '''
state-directory "state"
authserv-id "mx.test.example"
own-domains { "interieur.example" }
own-networks { 10.0.0.0/8 }
trusted-relays { 127.0.0.0/8 }
feed bad { source "bad.txt"  format list  status verified  severity high }
rule listed "carries an indicator" { when any indicator (.strength == strong) then quarantine }
rule unchecked "not checked" { when analysis.incomplete then tag }
'''
ZONE = '''
good.example         TXT "v=spf1 ip4:192.0.2.7 -all"
_dmarc.good.example  TXT "v=DMARC1; p=reject"
'''
GOOD = '''Received: from mail.good.example (mail.good.example [192.0.2.7])
 by mx.test.example (Postfix) with ESMTPS id 4Zb1; Mon, 23 Nov 2026 10:00:00 +0000
Delivered-To: chef@interieur.example
Return-Path: <anne@good.example>
From: Anne <anne@good.example>
To: chef@interieur.example
Subject: lunch
Message-ID: <1@good.example>

Noon?
'''
EVIL = '''Authentication-Results: mx.test.example; spf=fail smtp.mailfrom=x@evil.example.net;
 dkim=none; dmarc=fail policy.dmarc=reject header.from=evil.example.net
Received: from evil (unknown [203.0.113.5]) by mx.test.example; Mon, 23 Nov 2026 11:00:00 +0000
From: x@evil.example.net
To: chef@interieur.example
Subject: Your parcel
Message-ID: <2@evil.example.net>
MIME-Version: 1.0
Content-Type: application/octet-stream; name="invoice.exe"
Content-Disposition: attachment; filename="invoice.exe"
Content-Transfer-Encoding: base64

aGVsbG8=
'''


def case(function):
    CASES.append(function)
    return function


class Place:
    """A configuration with its state in a folder of its own."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix='tocsin-scan-')
        os.makedirs(self.file('state/evidence'))
        self.write('tocsin.conf', CONF)
        self.write('bad.txt', 'evil.example.net\n')
        self.write('zone', ZONE)
        self.write('good.eml', GOOD)
        self.write('evil.eml', EVIL.replace('\n', '\r\n'))
        done = self.run('indicators', 'build')
        assert done.returncode == 0, done.stderr

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.file(name)), exist_ok=True)
        with open(self.file(name), 'w', newline='') as out:
            out.write(text)

    def run(self, command, *arguments, text=None):
        configuration = ['-c', self.file('tocsin.conf')]
        if command == 'indicators':
            arguments = (*arguments, *configuration)
        else:
            arguments = (*configuration, *arguments)
        return subprocess.run([TOCSIN, command, *arguments], cwd=self.path, input=text,
                              capture_output=True, text=True, timeout=60)

    def scan(self, *arguments, text=None):
        done = self.run('scan', '--json', *arguments, text=text)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


@case
def a_zone_answers_and_the_envelope_is_derived_and_marked(place):
    record, = place.scan('--zone', 'zone', 'good.eml')
    assert record['results']['spf'] == 'pass' and record['results']['dmarc'] == 'pass', record
    assert record['client'] == {'ip': '192.0.2.7', 'name': 'mail.good.example',
                                'helo': 'mail.good.example'}, record
    assert record['mail_from'] == 'anne@good.example'
    assert record['rcpt'] == ['chef@interieur.example']
    assert record['derived'] == ['client', 'helo', 'mail_from', 'rcpt']
    assert record['rules'] == [] and record['incomplete'] == []


@case
def two_recipients_in_one_option_are_refused(place):
    done = place.run('scan', '--rcpt', 'a@b.example,c@b.example', 'good.eml')
    assert done.returncode == 64 and 'may be given again' in done.stderr, done
    assert place.run('scan', '--rcpt', '"a,b"@b.example', 'good.eml').returncode == 0


@case
def a_given_envelope_replaces_the_derived_one(place):
    record, = place.scan('--zone', 'zone', '--client', '203.0.113.9', '--helo', 'h.example',
                         '--mail-from', 'b@good.example', '--rcpt', 'a@b.example', 'good.eml')
    assert record['derived'] == [] and record['results']['spf'] == 'fail', record
    assert record['rcpt'] == ['a@b.example']


@case
def without_dns_recorded_results_are_taken_from_our_own_field(place):
    record, = place.scan('evil.eml')
    assert record['results']['spf'] == 'fail' and record['results']['dmarc'] == 'fail', record
    assert record['results']['dmarc_policy'] == 'reject'
    assert record['incomplete'] == []
    record, = place.scan('--auth', 'none', 'evil.eml')
    assert record['results']['spf'] == 'none' and record['incomplete'] == ['auth'], record


@case
def what_was_not_recorded_is_said_once_and_rules_can_leave_it_out(place):
    place.write('tocsin.conf', CONF.replace('analysis.incomplete', 'any analysis.gap (.value != auth)')
                + 'rule gaps "any gap" { when analysis.gap contains auth then tag }\n')
    done = place.run('scan', 'good.eml')
    assert 'rule        gaps (tag)' in done.stdout and 'unchecked' not in done.stdout, done.stdout
    assert done.stderr.splitlines()[-1].startswith('1 without results of authentication on record; DNS was not '), done
    assert 'without results' not in place.run('scan', '--zone', 'zone', 'good.eml').stderr


@case
def what_was_not_recorded_is_incomplete(place):
    record, = place.scan('good.eml')
    assert record['incomplete'] == ['auth'] and record['rules'][0]['name'] == 'unchecked', record


@case
def indicators_are_named_with_where_they_stood(place):
    record, = place.scan('evil.eml')
    places = {hit['where'] for hit in record['indicators']}
    assert record['verdict']['disposition'] == 'quarantine', record
    assert 'from' in places and 'message-id' in places, places
    done = place.run('scan', 'evil.eml')
    assert 'rule        listed (quarantine)' in done.stdout, done.stdout
    assert 'domain evil.example.net in from' in done.stdout, done.stdout


@case
def mbox_maildir_folder_and_standard_input_give_the_same(place):
    one = 'From x Mon Nov 23 10:00:00 2026\n' + GOOD + '\n>From here\n\n'
    place.write('box', one + 'From y Mon Nov 23 11:00:00 2026\n' + EVIL)
    place.write('md/cur/1:2,S', GOOD)
    place.write('md/new/2', EVIL)
    place.write('md/tmp/3', EVIL)
    place.write('md/dovecot.index', 'no mail')
    records = place.scan('box')
    assert [r['number'] for r in records] == [1, 2]
    assert [r['message_id'].strip('<>') for r in records] == ['1@good.example',
                                                             '2@evil.example.net'], records
    assert len(place.scan('md')) == 2
    assert len(place.scan('-', text=GOOD)) == 1


@case
def explain_shows_questions_answers_and_what_decided(place):
    done = place.run('scan', '--explain', '--zone', 'zone', 'good.eml')
    for wanted in ('asked       spf   TXT   good.example: found "v=spf1 ip4:192.0.2.7 -all"',
                   'spf         pass for mailfrom good.example (RFC 7208',
                   'dmarc       pass for good.example, record at _dmarc.good.example',
                   'listed', 'edit        insert 0 Authentication-Results'):
        assert wanted in done.stdout, (wanted, done.stdout)


@case
def three_thousand_forged_results_are_all_removed_from_the_last_up(place):
    place.write('forged.eml', 'Authentication-Results: mx.test.example; spf=pass\n' * 3000 + GOOD)
    done = place.run('scan', '--explain', '--zone', 'zone', 'forged.eml')
    edits = [int(line.split()[2]) for line in done.stdout.splitlines()
             if line.startswith('  edit        delete ')]
    assert edits == list(range(3000, 0, -1)), edits[:5]


@case
def the_age_of_a_feed_is_that_of_its_file(place):
    place.write('age.conf', CONF + '''
feed empty { source "empty.txt"  format list }
rule stale "bad is old" { when feed["bad"].age > 2d then tag }
rule unread "empty has nothing" { when feed["empty"].age is missing then tag }
''')
    for age, wanted in ((3600, ['unread']), (5 * 86400 + 7200, ['stale', 'unread'])):
        when = time.time() - age
        os.utime(place.file('bad.txt'), (when, when))
        done = place.run('indicators', 'build')
        assert done.returncode == 0, done.stderr
        done = place.run('scan', '-c', 'age.conf', '--json', '--zone', 'zone', 'good.eml')
        record = json.loads(done.stdout)
        assert [rule['name'] for rule in record['rules']] == wanted, (age, record['rules'])
    done = place.run('scan', '-c', 'age.conf', '--explain', '--zone', 'zone', 'good.eml')
    assert 'yes   feed["bad"].age > 2d    (is 5d 2h)' in done.stdout, done.stdout
    assert 'yes   feed["empty"].age is missing    (missing)' in done.stdout, done.stdout


OLD = CONF.replace('rule listed', 'rule old-listed') + '''
exempt unchecked "the kitchen" {
    owner "cuisine@good.example"
    when all from (.domain == "good.example")
}
'''


@case
def against_tells_what_a_changed_policy_gains_and_loses(place):
    place.write('old.conf', OLD)
    done = place.run('scan', '--against', 'old.conf', 'good.eml', 'evil.eml')
    assert done.returncode == 1, done
    assert 'good.eml: none -> none +tag' in done.stdout, done.stdout
    assert '  gained      unchecked, was exempted by the kitchen: not checked' in done.stdout, done.stdout
    assert 'evil.eml: quarantine, unchanged' in done.stdout, done.stdout
    assert '  gained      listed (quarantine): carries an indicator' in done.stdout, done.stdout
    assert '  lost        old-listed (quarantine)' in done.stdout, done.stdout
    table = [line.split() for line in done.stdout.splitlines()]
    assert ['listed', '0', '1', '0', 'new'] in table, done.stdout
    assert ['old-listed', '0', '0', '1', 'gone'] in table, done.stdout
    assert ['unchecked', '0', '1', '0'] in table, done.stdout
    assert '2 messages, 2 judged differently' in done.stderr, done.stderr


    back = place.run('scan', '-c', 'old.conf', '--against', 'tocsin.conf', 'good.eml')
    assert '  lost        unchecked, now exempted by the kitchen: not checked' in back.stdout, back


@case
def against_the_same_policy_nothing_differs(place):
    done = place.run('scan', '--against', 'tocsin.conf', 'good.eml', 'evil.eml')
    assert done.returncode == 0 and 'eml' not in done.stdout, done
    assert ['listed', '1', '0', '0'] in [line.split() for line in done.stdout.splitlines()], done.stdout
    done = place.run('scan', '--against', 'tocsin.conf', '--all', 'good.eml')
    assert 'good.eml: none +tag, unchanged' in done.stdout and '  both        unchecked' in done.stdout, done.stdout


@case
def against_in_json_has_a_line_for_each_message_and_a_summary(place):
    place.write('old.conf', OLD + 'rule early "refused" at connect { when client.ip == 203.0.113.5 then reject }\n')
    done = place.run('scan', '--against', 'old.conf', '--json', 'good.eml', 'evil.eml')
    assert done.returncode == 1, done
    good, evil, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert good['changed'] and good['old'] == {'disposition': 'none', 'actions': []}, good
    assert good['new'] == {'disposition': 'none', 'actions': ['tag']} and good['gained'] == ['unchecked'], good
    assert evil['old'] == {'disposition': 'reject', 'early': True, 'actions': []}, evil
    assert evil['new']['disposition'] == 'quarantine', evil
    assert evil['gained'] == ['listed'] and evil['lost'] == ['early'], evil
    summary = last['summary']
    assert summary['messages'] == 2 and summary['changed'] == 2, summary
    assert {'name': 'old-listed', 'both': 0, 'gained': 0, 'lost': 0, 'in': 'old'} in summary['rules'], summary
    assert sum(row['count'] for row in summary['verdicts']) == 2, summary


@case
def against_shows_what_a_rule_in_shadow_would_do(place):
    place.write('old.conf', CONF.replace('indicator" {', 'indicator" shadow {'))
    done = place.run('scan', '--against', 'old.conf', 'evil.eml')
    assert done.returncode == 1 and 'evil.eml: none (would quarantine) -> quarantine' in done.stdout, done.stdout
    assert '  both        listed (quarantine)' in done.stdout, done.stdout


@case
def against_shows_recipients_that_fare_differently(place):
    both = ('--rcpt', 'a@old.example', '--rcpt', 'b@interieur.example')
    place.write('old.conf', CONF)
    place.write('tocsin.conf', CONF + EARLY)
    done = place.run('scan', '--against', 'old.conf', *both, 'good.eml')
    assert done.returncode == 1, done
    lines = done.stdout.splitlines()
    assert lines[0] == 'good.eml: none +tag -> none +tag, 1 recipient refused', lines
    assert '  gained      gone (reject a recipient): has left' in lines, lines
    assert '  refused     <a@old.example>: 550 5.1.6 Has moved (gone)' in lines, lines
    assert ['gone', '0', '1', '0', 'new'] in [line.split() for line in lines], lines
    done = place.run('scan', '-c', 'old.conf', '--against', 'tocsin.conf', *both, 'good.eml')
    assert done.returncode == 1 and '  accepted    <a@old.example>, was: 550 5.1.6 Has moved (gone)' in done.stdout
    # The same rule, but for another recipient.
    place.write('old.conf', CONF + EARLY.replace('rcpt.domain == "old.example"', 'rcpt == "b@interieur.example"'))
    done = place.run('scan', '--against', 'old.conf', '--json', *both, 'good.eml')
    message, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1 and message['changed'] and message['both'] == ['unchecked', 'gone'], message
    assert [[refused['rcpt'] for refused in message['refused'][side]] for side in ('old', 'new')] == \
        [['b@interieur.example'], ['a@old.example']], message
    assert last['summary']['verdicts'][0]['new'] == {'disposition': 'none', 'refused': 1, 'actions': ['tag']}, last
    # The same refusal with other words.
    place.write('old.conf', CONF + EARLY.replace('Has moved', 'Is gone'))
    done = place.run('scan', '--against', 'old.conf', *both, 'good.eml')
    assert '  refused     <a@old.example>: 550 5.1.6 Has moved (gone), was: 550 5.1.6 Is gone (gone)\n' \
        in done.stdout, done.stdout
    assert place.run('scan', '--against', 'tocsin.conf', *both, 'good.eml').returncode == 0


@case
def switches_are_as_they_were_set_or_as_an_option_says(place):
    place.write('tocsin.conf', CONF + 'switch lock off\nrule locked "shut" { when lock then reject }\n')
    assert 'locked' not in place.run('scan', 'good.eml').stdout
    entry = {'name': 'lock', 'on': True, 'until': 0, 'since': 1, 'reason': '', 'by': 'root'}
    place.write('state/switches.json', json.dumps([entry]))
    done = place.run('scan', 'good.eml')
    assert 'rule        locked (reject): shut' in done.stdout, done
    assert 'switch lock is taken to be on, other than the policy says' in done.stderr, done
    done = place.run('scan', '--switch', 'lock=off', '--all', 'good.eml')
    assert 'locked' not in done.stdout and 'switch' not in done.stderr, done
    place.write('state/switches.json', json.dumps([dict(entry, until=1)]))
    assert 'locked' not in place.run('scan', 'good.eml').stdout
    assert 'locked' in place.run('scan', '--switch', 'lock=on', 'good.eml').stdout
    place.write('state/switches.json', '{')
    done = place.run('scan', 'good.eml')
    assert 'switches.json: not of its form; switches are as the policy says' in done.stderr, done
    for wrong, why in (('lock', 'NAME=on or NAME=off'), ('key=on', 'no switch "key"')):
        done = place.run('scan', '--switch', wrong, 'good.eml')
        assert done.returncode == 64 and why in done.stderr, done


@case
def many_messages_are_searched_for_all_patterns_at_once_with_the_same_answers(place):
    rules = ''.join(f'rule r{n} "a word" {{ when body.text matches /\\bword{n}\\b/ then add-header "X-R" "{n}" }}\n'
                    for n in range(20))
    place.write('tocsin.conf', CONF + rules)
    letters = ''.join(f'From x@y.example Mon Nov 23 10:00:00 2026\n{GOOD}\nA word{n % 30} and Word3.\n\n'
                      for n in range(150))
    place.write('many.mbox', letters)
    done = place.run('scan', '--json', 'many.mbox')
    records = [json.loads(line) for line in done.stdout.splitlines()]
    found = [[rule['name'] for rule in record['rules']] for record in records]
    assert found == [
        ['unchecked'] + ([f'r{n % 30}'] if n % 30 < 20 else []) for n in range(150)], found[100:103]
    shown = subprocess.run([os.path.join(BUILD, 'tocsind'), '-V'], capture_output=True, text=True, check=True).stdout
    line = '20 patterns over 1 fields in one pass, from message 100 on'
    assert (line in done.stderr) == ('not built in' not in shown), (shown, done.stderr)
    place.write('tocsin.conf', CONF + rules + 'vectorscan off\n')
    again = place.run('scan', '--json', 'many.mbox')
    assert 'in one pass' not in again.stderr, again.stderr
    assert [[rule['name'] for rule in json.loads(line)['rules']] for line in again.stdout.splitlines()] == found


@case
def against_refuses_what_it_cannot_do(place):
    done = place.run('scan', '--against', 'nothing.conf', 'good.eml')
    assert done.returncode == 78 and 'nothing.conf' in done.stderr, done
    done = place.run('scan', '--against', 'tocsin.conf', '--explain', 'good.eml')
    assert done.returncode == 64 and '--explain' in done.stderr, done


@case
def what_a_rule_asks_for_stands_beside_its_name(place):
    done = place.run('scan', 'good.eml')
    assert '  rule        unchecked (tag): not checked' in done.stdout, done.stdout


@case
def a_test_that_nobody_wrote_does_not_pass(place):
    done = place.run('test', 'no such sentence')
    assert done.returncode == 64 and 'no such sentence' in done.stderr, done


@case
def a_test_that_fails_shows_the_clauses_of_the_rules_that_it_names(place):
    place.write('tocsin.conf', CONF + '''
rule gate "a network" at connect { when client.ip under 203.0.113.0/24 then reject }
rule lure "a lure" { when any url (.host == "evil.example.net") and subject contains "parcel" then quarantine }
rule other "none" { when size > 5MB then tag }
test "the lure is held" { given url "https://good.example.org/", subject "Your parcel" expect quarantine by lure }
test "the gate comes first" { client 203.0.113.5 given subject "x" expect quarantine by lure expect not other }
test "nothing" { given size 6MB expect none }
''')
    done = place.run('test')
    assert done.returncode == 1 and '0 passed, 3 failed' in done.stdout, done
    assert '- lure: no match' in done.stdout, done.stdout
    assert 'no        .host == "evil.example.net"    (1: "https://good.example.org/"; is good.example.org)' \
        in done.stdout, done.stdout
    assert 'yes     subject contains "parcel"    (is "Your parcel")' in done.stdout, done.stdout
    assert '(got reject; matched: gate at connect)' in done.stdout, done.stdout
    assert '+ other: matches: tag' in done.stdout and '- other' not in done.stdout, done.stdout
    one = place.run('test', 'other')
    assert one.stdout.count(': failed: ') == 1 and 'the lure is held' not in one.stdout, one.stdout
    both = place.run('test', '--coverage', 'other')
    assert both.returncode == 64 and 'leave out the names' in both.stderr, both


@case
def a_failed_test_is_explained_with_the_lists_that_it_was_given(place):
    place.write('tocsin.conf', CONF + '''
list away strings { "nobody" }
list far domains { "far.example" }
switch hold off
rule gone "gone" { when hold and mail-from.domain in far and auth.user in away and subject contains any away
    then quarantine }
test "it holds" { auth-user "anne" mail-from "x@far.example"
    given list away { "anne" }, switch hold on, subject "none" expect quarantine by gone }
''')
    done = place.run('test')
    assert done.returncode == 1 and '- gone: no match' in done.stdout, done
    for wanted in ('yes     auth.user in away    (is "anne")', 'no      subject contains any away',
                   'yes     hold'):
        assert wanted in done.stdout, done.stdout


@case
def an_answer_that_goes_elsewhere_is_seen(place):
    place.write('tocsin.conf', CONF + '''
rule elsewhere "answers go elsewhere" { when direction == inbound and reply-to.elsewhere then tag }
test "elsewhere" { given from "a@bank.example", reply-to "a@evil.example.net" expect tag by elsewhere }
test "the same house" { given from "a@mail.bank.example", reply-to "b@bank.example" expect not elsewhere }
test "no reply-to" { given from "a@bank.example" expect not elsewhere }
''')
    done = place.run('test')
    assert done.returncode == 0, done.stdout
    for author, answers, found in (('a@good.example', 'b@gmail.test', True),
                                   ('a@good.example', 'b@x.good.example', False),
                                   ('a@good.co.uk', 'b@evil.co.uk', True), ('a@x.test, b@y.test', 'c@y.test', False),
                                   ('a@x.test', 'c@x.test, d@z.test', True), ('a@x.test', 'nobody', False)):
        place.write('reply.eml', GOOD.replace('Anne <anne@good.example>', f'{author}\nReply-To: {answers}'))
        record, = place.scan('reply.eml')
        assert ('elsewhere' in [rule['name'] for rule in record['rules']]) == found, (author, answers, record)


@case
def what_nobody_sees_keeps_no_word_of_subject_or_display_name_from_being_found(place):
    place.write('tocsin.conf', CONF + '''
rule word "a word" { when subject contains "password" and any from (.display == "Anne Dupont") then tag }
rule hidden "something hidden" { when any header["Subject"] (.value matches /\\x{200b}/) then tag }
''')
    for subject, name, found in (
            ('Your =?utf-8?q?pass=E2=80=8Bword?=', '=?utf-8?q?An=C2=ADne_Du=E2=80=8Dpont?=', ['word', 'hidden']),
            ('Your password', 'Anne Dupont', ['word']), ('Your pass word', 'Anne Dupont', []),
            ('Your password', 'Anne D.', [])):
        place.write('seen.eml', GOOD.replace('lunch', subject).replace('From: Anne ', f'From: {name} '))
        record, = place.scan('seen.eml')
        assert [rule['name'] for rule in record['rules'] if rule['name'] != 'unchecked'] == found, record


EARLY = '''
rule later "come again" at connect { when client.ip == 203.0.113.5 then defer "4.7.1 Come again" }
rule gone "has left" at rcpt { when rcpt.domain == "old.example" then reject "5.1.6 Has moved" }
'''


@case
def an_option_before_the_command_and_a_list_without_file_say_what_to_write(place):
    done = subprocess.run([TOCSIN, '-c', 'x', 'check'], capture_output=True, text=True, timeout=20)
    assert done.returncode == 64 and 'options stand behind it' in done.stderr, done
    place.write('tocsin.conf', CONF + 'list gone domains from "gone.txt"\n')
    done = place.run('check')
    assert done.returncode == 78 and 'gone.txt: No such file or directory; may-be-empty behind the file' \
        in done.stderr, done.stderr


@case
def what_ends_early_is_shown_with_its_rule_stage_and_reply(place):
    place.write('tocsin.conf', CONF + EARLY)
    done = place.run('scan', '--explain', 'evil.eml')
    assert done.stdout.startswith('evil.eml: defer early, at connect: 451 4.7.1 Come again\n'), done.stdout
    for wanted in ('  message-id  <2@evil.example.net>\n', '  client      203.0.113.5 (derived)\n',
                   '  rule        later (defer): come again\n', '+ later: matches: defer',
                   'yes   client.ip == 203.0.113.5    (is 203.0.113.5)'):
        assert wanted in done.stdout, (wanted, done.stdout)
    assert '1 messages, 1 with a match, 0 indicator hits, 1 defer\n' in done.stderr, done.stderr
    record, = place.scan('evil.eml')
    assert record == {'file': 'evil.eml', 'message_id': '<2@evil.example.net>', 'disposition': 'defer', 'code': '451',
                      'enhanced': '4.7.1', 'reply': 'Come again', 'stage': 'connect', 'rules': ['later'],
                      'early': True}, record
    gone = ('--rcpt', 'a@old.example')
    done = place.run('scan', '--all', *gone, '--rcpt', 'b@interieur.example', 'good.eml')
    assert '  refused     <a@old.example> at rcpt: 550 5.1.6 Has moved (gone)\n' in done.stdout, done.stdout
    # Refusing one recipient is a match as well, wherever in the row it stands.
    for both in ((*gone, '--rcpt', 'b@interieur.example'), ('--rcpt', 'b@interieur.example', *gone)):
        done = place.run('scan', *both, 'good.eml')
        assert '  refused     <a@old.example> at rcpt: 550 5.1.6 Has moved (gone)\n' in done.stdout, done
        assert '1 messages, 1 with a match, 0 indicator hits\n' in done.stderr, done.stderr
        for words in (('--explain',), ('--rule', 'gone')):
            done = place.run('scan', *words, *both, 'good.eml')
            assert re.search(r'  refused     <a@old\.example> .*\n\+ gone: matches: reject  \[.*\n'
                             r'    yes   rcpt\.domain == "old\.example"    \(is old\.example\)\n',
                             done.stdout), done.stdout
    done = place.run('scan', '--rule', 'later', *both, 'good.eml')
    # A rule at connect is not explained by a recipient.
    assert done.stdout.count('- later: no match') == 1, done.stdout
    refused = {'rcpt': 'a@old.example', 'rule': 'gone', 'code': '550', 'enhanced': '5.1.6', 'reply': 'Has moved'}
    record, = place.scan(*both, 'good.eml')
    assert record['refused'] == [refused] and 'early' not in record, record
    record, = place.scan(*gone, 'good.eml')
    assert record['refused'] == [refused] and record['early'], record
    record, = place.scan('--rcpt', 'b@interieur.example', 'good.eml')
    assert 'refused' not in record, record
    done = place.run('scan', '--explain', '--rcpt', 'c@old.example', *gone, 'good.eml')
    assert [done.stdout.count(f'(is {name})') for name in ('old.example', 'interieur.example')] == [2, 0], done.stdout
    done = place.run('scan', *gone, 'good.eml')
    assert done.stdout.startswith('good.eml: reject early, at rcpt: 550 5.1.6 Has moved\n'), done.stdout
    place.write('old.conf', CONF)
    done = place.run('scan', '--against', 'old.conf', 'evil.eml')
    assert '  gained      later (defer): come again' in done.stdout, done.stdout


@case
def explain_shows_what_matched_first_and_one_rule_where_it_is_named(place):
    place.write('tocsin.conf', CONF + 'rule far "a link" { when any url (.host == "h15.example.com") then tag }\n')
    place.write('links.eml', GOOD + ''.join('https://h%d.example.com/\n' % i for i in range(30)))
    done = place.run('scan', '--explain', 'links.eml')
    assert done.stdout.index('+ far: ') < done.stdout.index('- listed: '), done.stdout
    lines = done.stdout.split('+ far: ')[1].splitlines()
    assert lines[2] == '    yes     .host == "h15.example.com"    (16: "https://h15.example.com/"; is ' \
        'h15.example.com)', lines[:4]
    assert 'and 20 more' in lines[12], lines
    one = place.run('scan', '--rule', 'far', 'links.eml').stdout
    assert '+ far: ' in one and '- listed: ' not in one, one
    done = place.run('scan', '--rule', 'fra', 'links.eml')
    assert done.returncode == 64 and 'no rule "fra"' in done.stderr, done


@case
def an_unreadable_file_is_said_and_counted(place):
    done = place.run('scan', 'nothing.eml')
    assert done.returncode == 66 and 'nothing.eml' in done.stderr, done
    done = place.run('scan')
    assert done.returncode == 64, done


@case
def hunt_finds_every_kind_and_says_where(place):
    with open(place.file('state/evidence/2026-11-23.jsonl'), 'w') as out:
        for record in place.scan('good.eml', 'evil.eml'):
            out.write(json.dumps(record) + '\n')
        out.write('{"torn')
    for value, where in (('192.0.2.0/24', 'client'), ('anne@GOOD.example', 'mail-from'),
                         ('good.example', 'client-name'), ('hxxp://evil[.]example[.]net/x', 'mail-from'),
                         ('2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
                          'attachment'),
                         ('Invoice.EXE', 'attachment'), ('your parcel', 'subject'),
                         ('<1@good.example>', 'message-id')):
        done = place.run('hunt', value)
        assert done.returncode == 0, (value, done.stderr)
        assert ' in %s disposition=' % where in done.stdout, (value, where, done.stdout)
        assert '1 lines that are no records' in done.stderr, done.stderr


@case
def hunt_finds_what_indicators_matched_and_their_ids(place):
    record, = place.scan('evil.eml')
    digest = hashlib.sha512(b'hello').hexdigest()
    record['indicators'] = [
        {'feed': 'cert', 'id': 'aaaa-1', 'type': 'sha512', 'value': digest, 'where': 'archive', 'observed': digest},
        {'feed': 'cert', 'id': 'aaaa-2', 'type': 'mailer', 'value': 'Evil 1', 'where': 'mailer', 'observed': 'EVIL  1'},
        {'feed': 'cert', 'id': 'aaaa-3', 'type': 'domain', 'value': 'body.example', 'where': 'text',
         'observed': 'x@sub.body.example'}]
    with open(place.file('state/evidence/2026-11-19.jsonl'), 'w') as out:
        out.write(json.dumps(record) + '\n')
    for value, where in ((digest.upper(), 'archive'), ('evil 1', 'mailer'), ('sub.body.example', 'text'),
                         ('aaaa-2', 'mailer')):
        done = place.run('hunt', value)
        assert done.returncode == 0 and f'{value} in {where} disposition=' in done.stdout, (value, done)
    for value in ('evil 2', 'other.body.example', 'aaaa-4', 'f' * 128):
        done = place.run('hunt', value)
        assert done.returncode == 1, (value, done)
        assert ('hold a sha512 only where a feed listed it' in done.stderr) == (len(value) == 128), done.stderr
    os.unlink(place.file('state/evidence/2026-11-19.jsonl'))


@case
def hunt_finds_members_of_archives_and_says_which_digests_were_never_recorded(place):
    with open(place.file('packed.eml'), 'wb') as out:
        out.write(wrap.attached(wrap.zipped('hidden.js', b'hello'), 'a.zip'))
    record, = place.scan('packed.eml')
    member, = record['files']
    assert member['names'] == ['hidden.js'] and member['size'] == 5, record
    with open(place.file('state/evidence/2026-11-21.jsonl'), 'w') as out:
        out.write(json.dumps(record) + '\n')
    done = place.run('hunt', 'hidden.js')
    assert done.returncode == 0 and 'hidden.js in archive disposition=' in done.stdout, done
    done = place.run('hunt', hashlib.md5(b'hello').hexdigest())
    assert done.returncode == 1, done
    assert re.search(r'\d+ of \d+ records hold files without their md5', done.stderr), done.stderr
    done = place.run('hunt', hashlib.sha256(b'nobody').hexdigest())
    assert 'without their' not in done.stderr, done.stderr
    os.unlink(place.file('state/evidence/2026-11-21.jsonl'))


@case
def hunt_says_what_was_found_of_a_url_and_which_files_it_did_not_read(place):
    record, = place.scan('evil.eml')
    with open(place.file('state/evidence/2026-11-20.jsonl'), 'w') as out:
        out.write(json.dumps(record) + '\n')
    with open(place.file('state/evidence/yesterday.json'), 'w') as out:
        out.write(json.dumps(record) + '\n')
    done = place.run('hunt', 'http://evil.example.net/never-seen')
    assert ' host evil.example.net of http://evil.example.net/never-seen in ' in done.stdout, done.stdout
    assert '1 files in ' in done.stderr and 'not named *.jsonl' in done.stderr, done.stderr
    os.unlink(place.file('state/evidence/yesterday.json'))
    with open(place.file('state/evidence/5v8ayx6knv12.eml'), 'w') as out:
        out.write('Subject: preserved\n\n')
    assert 'not named' not in place.run('hunt', 'evil.example.net').stderr
    os.unlink(place.file('state/evidence/5v8ayx6knv12.eml'))
    os.unlink(place.file('state/evidence/2026-11-20.jsonl'))


@case
def a_queue_id_or_reference_finds_its_message_rule_and_indicator(place):
    record, = place.scan('evil.eml')
    with open(place.file('state/evidence/2026-11-22.jsonl'), 'w') as out:
        for queue_id, ref in (('4Zb1c93XwW', 'aaaaaaaaaaaa'), ('4Zb1c93Xww', 'bbbbbbbbbbbb')):
            out.write(json.dumps(dict(record, queue_id=queue_id, ref=ref)) + '\n')
    for value, where in (('4Zb1c93XwW', 'queue-id'), ('aaaaaaaaaaaa', 'ref')):
        done = place.run('hunt', value)
        assert len(done.stdout.splitlines()) == 1 and ' 4Zb1c93XwW ' in done.stdout, done.stdout
        assert f' {value} in {where} disposition=quarantine rule=' in done.stdout, done.stdout
        assert 'listed' in done.stdout and re.search(r' indicator=\w+:evil\.example\.net', done.stdout), done.stdout
    os.unlink(place.file('state/evidence/2026-11-22.jsonl'))
    done = place.run('hunt', 'ood.example')
    assert done.returncode == 1 and done.stdout == '', done
    done = place.run('hunt', '--since', '2026-99-99', 'x')
    assert done.returncode == 64, done


def main():
    print('1..%d' % len(CASES))
    failed = 0
    for number, function in enumerate(CASES, 1):
        place = None
        try:
            place = Place()
            function(place)
            print('ok %d - %s' % (number, function.__name__))
        except Exception as error:  # a test must not end the others
            failed += 1
            print('# %s: %s' % (type(error).__name__, str(error).replace('\n', '\n# ')))
            print('not ok %d - %s' % (number, function.__name__))
        finally:
            if place is not None:
                shutil.rmtree(place.path, ignore_errors=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
