"""How long a command goes on after SIGINT, at random moments of commands that take long. Decides no test.
usage: latency.py UNKTX CHAINGEN FOLDER [MOMENTS [COMMAND...]]
FOLDER keeps the chains and stores for the next run. The multipedes need ../shared."""
import os, random, shutil, signal, subprocess, sys, time

UNKTX, CHAINGEN, FOLDER = sys.argv[1:4]
MOMENTS = int(sys.argv[4]) if len(sys.argv) > 4 else 10
WANTED = sys.argv[5:]
CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../../shared/cases')
LONGEST_S = 15  # moments are spread over so much of a command
SLOW = r'(([0-9a-f][0-9a-f])*)*(51|52)*(([0-9a-f])*75)*[ab]{3}$' + '\n'


def write_grid(folder, side):
    """side * side transactions, each of which spends an output of the one above and of the one before."""
    from gen import W, coinbase, dsha, tx, txin, txout
    chain, above, size, batch, blocks = W(folder), [None] * side, 0, [], 0
    to = [txout(50, b'\0\x14' + b'\2' * 20)]
    for i in range(side * side):
        ins = []
        if above[i % side]:
            ins.append(txin(above[i % side], 1))
        if i % side:
            ins.append(txin(above[i % side - 1], 0))
        made = tx(ins or [txin(dsha(coinbase(0, to)), 0)], [txout(0, b'\x51')] * 2)
        above[i % side] = dsha(made)
        batch.append((made, above[i % side]))
        size += len(made)
        if size > 900000 or i + 1 == side * side:
            first = coinbase(blocks, to)
            chain.add([first] + [t for t, _ in batch], txids=[dsha(first)] + [h for _, h in batch])
            size, batch, blocks = 0, [], blocks + 1
    chain.close()


def write_scripts(folder):
    """Outputs with scripts of 10 kB, for patterns."""
    from gen import W, coinbase, txout
    chain = W(folder)
    for block in range(40):
        script = random.Random(block).randbytes(9999) + b'\xff'
        chain.add([coinbase(block, [txout(50 - k, script[k:]) for k in range(40)])])
    chain.close()


def make(name, write):
    folder = os.path.join(FOLDER, name)
    if os.path.exists(folder + '.store/tio'):
        return
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(folder + '.store', ignore_errors=True)
    write(folder)
    for command in ('scan', 'index'):
        subprocess.run([UNKTX, command, '--quiet', '--datadir', folder, '--store', folder + '.store'], check=False)


def txid_of(store):
    lines = subprocess.run([UNKTX, 'outputs', '--store', store], capture_output=True, text=True).stdout.split('\n')
    return lines[1].split(',')[lines[0].split(',').index('txid')] if len(lines) > 2 else '0' * 64


def commands_of(case):
    data, store, out = (os.path.join(FOLDER, n) for n in (case, case + '.store', 'out'))
    slow, txid = os.path.join(FOLDER, 'slow.tsv'), txid_of(store)
    read = [(c, c + ' --store ' + store) for c in ('outputs', 'templates', 'stats', 'check')]
    read += [('show', f'show --store {store} --dag 1'), ('show all', f'show --store {store} {txid}'),
             ('dags', f'dags --store {store} -o {out}'), ('dags compressed', f'dags --compress --store {store} -o {out}'),
             ('report', f'report --store {store} -o {out}/report.html'), ('flows', f'flows --store {store} -o {out}'),
             ('dags slow', f'dags --store {store} --exclude-scripts {slow} -o {out}'),
             ('dump', f'dump inputs --store {store} -o {out}/inputs.csv'), ('tx', f'tx --store {store} {txid}'),
             ('travel', f'travel --store {store} --limit 1000000 {txid}'), ('blocks', f'blocks -o {out}/b.csv {data}'),
             ('scan', f'scan --datadir {data} --store {out}/s'), ('index', f'index --datadir {data} --store {out}/s'),
             ('verify', f'scan --verify --datadir {data} --store {out}/s'),
             ('analyze', f'analyze --index --datadir {data} -o {out}/a')]
    return [(name, line.split()) for name, line in read if not WANTED or name.split()[0] in WANTED]


def start(line):
    shutil.rmtree(os.path.join(FOLDER, 'out'), ignore_errors=True)
    os.makedirs(os.path.join(FOLDER, 'out'))
    return subprocess.Popen([UNKTX] + line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def duration(line):
    begin, process = time.monotonic(), start(line)
    try:
        process.wait(LONGEST_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return time.monotonic() - begin, process.returncode


def stop_once(line, after):
    """Seconds from SIGINT to the end; None if the command had ended before."""
    process = start(line)
    try:
        process.wait(after)
        return None, process.returncode
    except subprocess.TimeoutExpired:
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait()
        return time.monotonic() - begin, process.returncode


def measure(case, name, line, rng):
    whole, status = duration(line)
    found = [stop_once(line, 0.003 + rng.random() * whole) for _ in range(MOMENTS)]
    stopped = [t for t, s in found if t is not None and s == 130]
    odd = sorted({s for t, s in found if s not in (130, status)})
    print(f'{case:8} {name:16} {whole:7.2f} s  status {status:3}  stopped {len(stopped):3}  longest '
          f'{max(stopped, default=0) * 1000:6.0f} ms {"statuses " + str(odd) if odd else ""}', flush=True)
    return max(stopped, default=0), len(stopped)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    seed = int(time.time())
    print(f'seed {seed}')
    with open(os.path.join(FOLDER, 'slow.tsv'), 'w') as file:
        file.write(SLOW)
    make('normal', lambda d: subprocess.run([CHAINGEN, '--spends', '--size', str(256 << 20), d], check=True))
    names = ['normal']
    if os.path.isdir(CASES):
        sys.path.insert(0, CASES)
        sys.dont_write_bytecode = True
        make('grid', lambda d: write_grid(d, 1000))
        make('scripts', write_scripts)
        make('pairs', lambda d: subprocess.run([sys.executable, '-B', CASES + '/multipede.py', d, '120', '40']))
        names += ['grid', 'scripts', 'pairs']
    rng, all_found = random.Random(seed), []
    for case in names:
        all_found += [measure(case, name, line, rng) for name, line in commands_of(case)]
    print(f'{sum(n for _, n in all_found)} commands stopped, the longest after '
          f'{max(t for t, _ in all_found) * 1000:.0f} ms')


main()
