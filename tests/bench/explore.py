"""How soon the pages of `unktx explore` are there, how long each kind of page takes with several clients, and what it costs in
memory and CPU. Decides no test. usage: explore.py UNKTX STORE [SECONDS [CLIENTS]]; SURVEYED=yes: templates, protocols and groups too.
A store of a million T-DAGs: chaingen --tdags 1000000 --giants 100 DIR, then unktx scan --datadir DIR --store STORE."""
import html, http.client, os, random, re, signal, subprocess, sys, threading, time, urllib.parse

UNKTX, STORE = sys.argv[1:3]
SECONDS = float(sys.argv[3]) if len(sys.argv) > 3 else 30
CLIENTS = int(sys.argv[4]) if len(sys.argv) > 4 else 8
ALONE = 40  # pages of each kind that one client asks for
RULES = ('core-0.18', 'core-0.19', 'core-22')
COLUMNS = ('txs nodes edges roots leaves height width spent_unknown unspent_unknown known_leaves mixed_spenders first_height '
           'last_height first_time last_time root_value_sat moved_value_sat leaf_value_sat orderliness symmetry repetition '
           'fan_out_regularity equal_values cadence chain_frequency automation').split()


class Client:
    def __init__(self, address):
        self.host = urllib.parse.urlsplit(address).netloc
        self.connection = None

    def get(self, path):
        for again in (False, True):
            try:
                self.connection = self.connection or http.client.HTTPConnection(self.host, timeout=120)
                self.connection.request('GET', path)
                answer = self.connection.getresponse()
                return answer.status, answer.read(), answer.getheader('Location')
            except (http.client.HTTPException, OSError):
                self.connection = None
                if again:
                    raise

    def body(self, path):
        status, body, to = self.get(path)
        return self.body(to) if status == 302 else body.decode()


def cpu_s(pid):
    fields = open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def memory(pid):
    """Resident; of it the own memory; and the most that was resident. Pages of the store's file come and go."""
    kib = dict(re.findall(r'(VmHWM|VmRSS|RssAnon):\s+(\d+) kB', open(f'/proc/{pid}/status').read()))
    return 'resident {:.2f} GiB, own {:.2f}, at most {:.2f}'.format(*(int(kib[k]) / 2**20 for k in ('VmRSS', 'RssAnon', 'VmHWM')))


def wait_for(client, path):
    while client.get(path)[0] != 200:
        time.sleep(0.05)


def start():
    begin = time.monotonic()
    process = subprocess.Popen([UNKTX, 'explore', '--store', STORE, '--port', '0'], stdout=subprocess.PIPE, text=True)
    address = process.stdout.readline().strip()
    print(f'address after {time.monotonic() - begin:.1f} s')
    client = Client(address)
    for rules in RULES:
        wait_for(client, f'/{rules}/')
        print(f'{rules} ready after {time.monotonic() - begin:.1f} s, CPU {cpu_s(process.pid):.1f} s, {memory(process.pid)}', flush=True)
    return process, address


def surveyed(client):
    """Addresses of what is looked through when it is first asked for, of each rule set: templates, protocols, groups, keys."""
    found = {'templates': [f'/{r}/templates?sort={s}' for r in RULES for s in ('outputs', 'tdags', 'spent', 'value_sat')],
             'protocols': [f'/{r}/protocols' for r in RULES], 'groups': [f'/{r}/groups?page={p}' for r in RULES for p in (1, 2, 50)]}
    for path in [f'/{r}/templates' for r in RULES] + found['groups'][::3]:
        begin = time.monotonic()
        wait_for(client, path)
        print(f'{path} ready after {time.monotonic() - begin:.1f} s', flush=True)
    links = lambda pattern, path: [html.unescape(link) for link in re.findall(f'"(/core-22/{pattern})"', client.body(path))]
    found['template'] = links('template[?][^"]+', '/core-22/templates')
    found['tdags of a template'] = links('tdags[?][^"]*template=[^"]+', '/core-22/templates')
    found['group'] = links('group/[0-9a-f]+', '/core-22/groups')
    found['key'] = links('key/[0-9a-f]+', found['group'][0]) if found['group'] else []
    return {kind: paths for kind, paths in found.items() if paths}


def samples(client, rng):
    """Addresses of each kind, some hundred of them."""
    tdags, txs, classes = [], [], []
    pages = int(re.search(r'page 1 of ([0-9,]+)', client.body('/core-0.18/tdags')).group(1).replace(',', ''))
    for _ in range(6):
        body = client.body(f'/core-0.18/tdags?page={rng.randint(1, pages)}')
        tdags += re.findall(r'/core-0.18/tdag/[0-9a-f]+', body)
        classes += re.findall(r'/core-0.18/class/[0-9a-f]+', body)
    large = re.findall(r'/core-0.18/tdag/[0-9a-f]+', client.body('/core-0.18/tdags?sort=nodes'))[:12]
    for path in rng.sample(tdags, 20) + large[:3]:
        txs += re.findall(r'/core-0.18/tx/[0-9a-f]{64}', client.body(path))
    heights = [int(h) for h in re.findall(r'/block/(\d+)', client.body('/core-0.18/tdags'))] or [1]
    tip = int(re.search(r'to block ([0-9,]+)', client.body('/core-0.18/')).group(1).replace(',', ''))
    return {'tdag': tdags, 'large tdag': large, 'tx': txs, 'class': classes,
            'block': [f'/core-0.18/block/{h}' for h in heights] + [f'/core-0.18/block/{rng.randint(0, tip)}' for _ in range(100)]}


def filtered(rng):
    """Filters of one to three columns, sorted by any, as somebody who looks around makes them."""
    query = [(rng.choice(COLUMNS[:11]), rng.choice(['2..', '..10', '3..8', '100..', '7'])) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.3:
        query.append(('family', rng.choice(['chain', 'fan-in', 'fan-out'])))
    if rng.random() < 0.3:
        query.append(('automation', f'0.{rng.randint(1, 9)}..'))
    return urllib.parse.urlencode(query)


def makers(found, rng):
    rules = lambda: rng.choice(RULES)
    pages = {kind: (lambda kind=kind: rng.choice(found[kind])) for kind in found}
    pages.update({
        'start': lambda: f'/{rules()}/',
        'tdags sorted': lambda: f'/{rules()}/tdags?sort={rng.choice(COLUMNS)}&order={rng.choice(["asc", "desc"])}&page={rng.randint(1, 2000)}',
        'tdags filtered': lambda: f'/{rules()}/tdags?{filtered(rng)}&sort={rng.choice(COLUMNS)}',
        'classes': lambda: f'/{rules()}/classes?sort={rng.choice(["tdags", "height", "nodes", "edges"])}&page={rng.randint(1, 30)}',
        'scripts': lambda: f'/{rules()}/scripts',
        'search': lambda: f'/{rules()}/search?q=' + rng.choice(found['tx'])[-64:][:rng.randint(4, 64)],
        'search of words': lambda: f'/{rules()}/search?q=' + rng.choice(['OP_D', 'check', 'count', 'nothing-at-all'])})
    return pages


def ask(address, pages, seed, until, took):
    rng, client = random.Random(seed), Client(address)
    while time.monotonic() < until:
        kind = rng.choice(sorted(pages))
        path = pages[kind]()
        begin = time.monotonic()
        status, body, _ = client.get(path)
        took.append((kind, time.monotonic() - begin, len(body), status, path))


def cost(pid, address, pages):
    """CPU of the server for a page of each kind, asked for one after the other: what a shared machine shows too."""
    client = Client(address)
    for kind in sorted(pages):
        paths = [pages[kind]() for _ in range(ALONE)]
        before, begin = cpu_s(pid), time.monotonic()
        for path in paths:
            client.get(path)
        print(f'{kind:15} alone: CPU {(cpu_s(pid) - before) / ALONE * 1000:6.1f} ms, wall {(time.monotonic() - begin) / ALONE * 1000:6.1f} ms', flush=True)


def tell(took):
    for kind in sorted({row[0] for row in took}) + ['all']:
        rows = sorted((row for row in took if kind in (row[0], 'all')), key=lambda row: row[1])
        at = lambda part: rows[min(len(rows) - 1, int(part * len(rows)))][1] * 1000
        bad = sorted({row[3] for row in rows} - {200, 302})
        print(f'{kind:15} {len(rows):6}  p50 {at(0.5):7.1f} ms  p95 {at(0.95):7.1f} ms  longest {rows[-1][1] * 1000:7.1f} ms  '
              f'largest {max(row[2] for row in rows) / 1000:6.1f} kB {"statuses " + str(bad) if bad else ""}')
    print('slowest:', *(f'{row[1] * 1000:.0f} ms {row[4]}' for row in sorted(took, key=lambda row: -row[1])[:5]), sep='\n  ')


def main():
    seed = int(time.time())
    rng = random.Random(seed)
    process, address = start()
    try:
        found = samples(Client(address), rng)
        if os.environ.get('SURVEYED'):
            found.update(surveyed(Client(address)))
            print(memory(process.pid))
        pages = makers(found, rng)
        cost(process.pid, address, pages)
        before, own, begin, took = cpu_s(process.pid), time.process_time(), time.monotonic(), []
        clients = [threading.Thread(target=ask, args=(address, pages, seed + i, begin + SECONDS, took)) for i in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        wall = time.monotonic() - begin
        print(f'seed {seed}: {len(took)} pages by {CLIENTS} clients in {wall:.1f} s; CPU of the server {cpu_s(process.pid) - before:.1f} s, '
              f'of the clients {time.process_time() - own:.1f} s, load {os.getloadavg()[0]:.1f}; {memory(process.pid)}')
        tell(took)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


main()
