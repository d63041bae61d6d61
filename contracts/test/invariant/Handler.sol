// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICredentialRegistry} from "../../src/ICredentialRegistry.sol";
import {Replay} from "../support/Replay.sol";
import {Test} from "../support/Test.sol";
import {Vm} from "../support/Vm.sol";

/// @notice Does random things to a registry and keeps a model of what should have come of them.
/// @dev Three calls in four come from somebody who may, the others from anybody. Each call's outcome is predicted
/// from the model; a call that turns out otherwise reverts here, which fails the run.
contract Handler is Test {
    struct Anchor {
        address operator;
        uint40 time;
        uint48 size;
        uint8 flags;
    }

    struct Span {
        uint40 from;
        uint40 until;
    }

    uint256 public constant ISSUERS = 3;
    uint256 public constant ROOTS = 4;
    uint256 public constant WORDS = 3;

    uint8 private constant ANCHOR = 1;
    uint8 private constant STATUS = 2;
    uint256 private constant KEYS = 5;
    uint256 private constant FIRST_KEY = 0x5ec7e7;
    /// @dev Tag of the slots that belong to a key and not to an issuer.
    uint256 private constant A_KEY = type(uint256).max;

    ICredentialRegistry private immutable REGISTRY;
    bool private immutable KEEPS_LOGS;

    /// @dev Owners, keys and outsiders.
    address[] private _people;
    address[] private _keys;
    mapping(address key => uint256) private _secrets;
    address private _outsider = address(0xBAD);

    // The model.
    mapping(uint256 issuer => address) public owner;
    mapping(uint256 issuer => address) public pendingOwner;
    mapping(uint256 issuer => mapping(address key => uint8)) public roles;
    mapping(uint256 issuer => mapping(address key => uint40)) public since;
    mapping(address key => uint256) public bareIssuer;
    mapping(uint256 issuer => mapping(bytes32 root => Anchor)) private _anchors;
    mapping(uint256 issuer => mapping(bytes32 root => mapping(uint256 word => uint256))) private _revoked;
    mapping(uint256 issuer => mapping(bytes32 root => mapping(uint256 word => uint256))) private _suspended;
    mapping(uint256 accreditor => mapping(uint256 issuer => Span[])) private _spans;

    /// @notice The issuer and the root of the latest act; the second is old where an act has none.
    uint256 public lastIssuer;
    bytes32 public lastRoot;

    // Where a word was suspended last.
    uint256 private _suspendedIssuer;
    bytes32 private _suspendedRoot;
    uint256 private _suspendedWord;

    // What was observed.
    mapping(uint256 issuer => bytes[]) private _logs;
    mapping(uint256 issuer => bytes32) public foldedHead;
    mapping(bytes32 slot => uint256 tag) private _slotTag;

    /// @notice Slots that were written by an act of another issuer than the one they belong to.
    uint256 public foreignWrites;
    /// @notice Acts that passed though their sender had no right to them.
    uint256 public trespasses;
    /// @notice Acts that passed, by name.
    mapping(bytes32 what => uint256) public done;

    /// @param keepsLogs whether to keep all logs and fold them, which takes as long as everything else
    constructor(ICredentialRegistry registry, bool keepsLogs) {
        REGISTRY = registry;
        KEEPS_LOGS = keepsLogs;
        for (uint256 i = 0; i < KEYS; ++i) {
            address key = vm.addr(FIRST_KEY + i);
            _keys.push(key);
            _secrets[key] = FIRST_KEY + i;
            _people.push(key);
            _slotTag[keccak256(abi.encode(key, 8))] = A_KEY;
        }
        for (uint256 i = 0; i < ISSUERS; ++i) {
            // forge-lint: disable-next-line(unsafe-typecast) the value is bounded to fit
            _people.push(address(uint160(0xA11CE + i)));
        }
        _people.push(_outsider);
        _begin();
    }

    // ---------------------------------------------------------------------------------------- acts

    function wait_(uint256 seconds_) external {
        vm.warp(block.timestamp + 1 + seconds_ % 1000);
    }

    function transferOwnership(uint256 issuer, uint256 by, uint256 to) external {
        issuer = _issuer(issuer);
        address sender = _sender(by, owner[issuer]);
        address newOwner = to % 5 == 0 ? address(0) : _person(to);
        bool right = sender == owner[issuer] && newOwner != pendingOwner[issuer];
        if (_act(
                issuer, sender, abi.encodeCall(REGISTRY.transferOwnership, (issuer, newOwner)), right, "offer"
            )) {
            pendingOwner[issuer] = newOwner;
        }
    }

    function acceptOwnership(uint256 issuer, uint256 by) external {
        issuer = _issuer(issuer);
        address pending = pendingOwner[issuer];
        address sender = _sender(by, pending == address(0) ? _outsider : pending);
        if (_act(
                issuer,
                sender,
                abi.encodeCall(REGISTRY.acceptOwnership, (issuer)),
                sender == pending,
                "accept"
            )) {
            owner[issuer] = sender;
            pendingOwner[issuer] = address(0);
        }
    }

    function setOperator(uint256 issuer, uint256 by, uint256 key, uint8 given) external {
        issuer = _issuer(issuer);
        _setOperator(issuer, _sender(by, owner[issuer]), _key(key), given % 5);
    }

    function reportCompromise(uint256 issuer, uint256 by, uint256 key, uint256 ago) external {
        issuer = _issuer(issuer);
        address sender = _sender(by, owner[issuer]);
        address stolen = key % 4 == 0 ? _key(key / 4) : _keyWith(issuer, ANCHOR, key);
        uint40 from = _since(issuer, ago);
        uint40 before = since[issuer][stolen];
        // forge-lint: disable-next-line(block-timestamp) the handler predicts the contract's own rule
        bool right = sender == owner[issuer] && from <= block.timestamp && (before == 0 || from < before);
        bytes memory data = abi.encodeCall(REGISTRY.reportCompromise, (issuer, stolen, from));
        if (_act(issuer, sender, data, right, "compromise")) {
            since[issuer][stolen] = from;
            roles[issuer][stolen] = 0;
        }
    }

    function nameBareIssuer(uint256 issuer, uint256 by) external {
        issuer = _issuer(issuer);
        address sender = _sender(by, _keyWith(issuer, ANCHOR, by));
        bool right = roles[issuer][sender] & ANCHOR != 0 && bareIssuer[sender] != issuer;
        if (_act(issuer, sender, abi.encodeCall(REGISTRY.nameBareIssuer, (issuer)), right, "name")) {
            bareIssuer[sender] = issuer;
        }
    }

    function anchor(uint256 issuer, uint256 by, uint256 root, uint256 size) external {
        issuer = _issuer(issuer);
        address sender = _sender(by, _keyWith(issuer, ANCHOR, by));
        bytes32 root_ = _pick(root);
        uint48 size_ = _size(issuer, root_, size);
        bytes memory data = abi.encodeCall(REGISTRY.anchor, (issuer, root_, size_));
        bool right = size_ != 0 && _mayAnchor(issuer, sender, root_, size_);
        if (_act(issuer, sender, data, right, "anchor")) _anchored(issuer, sender, root_, size_);
    }

    function anchorBySig(uint256 issuer, uint256 by, uint256 root, uint256 size, uint256 late) external {
        issuer = _issuer(issuer);
        address signer = by % 4 != 0 ? _keyWith(issuer, ANCHOR, by) : _key(by / 4);
        uint256 deadline = late % 4 == 0 ? block.timestamp - 1 : block.timestamp + late % 100;
        _relay(_person(late), issuer, signer, _pick(root), _size(issuer, rootOf(root), size), deadline);
    }

    /// @notice Anchors a root again whose anchor lost its trust, which chance alone seldom hits.
    function anchorAgain(uint256 by, uint256 seed) external {
        for (uint256 i = 0; i < ISSUERS * ROOTS; ++i) {
            uint256 issuer = 1 + (seed % ISSUERS + i) % ISSUERS;
            bytes32 root = rootOf(i / ISSUERS);
            if (!isCompromised(issuer, root)) continue;
            lastRoot = root;
            uint48 size = _size(issuer, root, seed / 8);
            address sender = _sender(by, _keyWith(issuer, ANCHOR, by));
            bool right = size != 0 && _mayAnchor(issuer, sender, root, size);
            bytes memory data = abi.encodeCall(REGISTRY.anchor, (issuer, root, size));
            if (_act(issuer, sender, data, right, "anchor")) _anchored(issuer, sender, root, size);
            return;
        }
    }

    function anchorBare(uint256 by, uint256 root) external {
        address sender = _person(by);
        uint256 issuer = bareIssuer[sender];
        bytes32 root_ = _pick(root);
        bool right = issuer != 0 && _mayAnchor(issuer, sender, root_, 0);
        if (_act(issuer, sender, abi.encode(root_), right, "anchorBare")) {
            _anchored(issuer, sender, root_, 0);
        }
    }

    function changeStatus(uint8 kind, uint256 issuer, uint256 by, uint256 root, uint256 word, uint256 mask)
        external
    {
        issuer = _issuer(issuer);
        address sender = _sender(by, _keyWith(issuer, STATUS, by));
        _changeWord(kind % 3, issuer, sender, _pickAnchored(issuer, root), _word(word), _mask(mask));
    }

    /// @notice Reinstates where something was suspended last, which chance alone seldom hits.
    function reinstateLast(uint256 by, uint256 mask) external {
        (uint256 issuer, bytes32 root, uint256 word) = (_suspendedIssuer, _suspendedRoot, _suspendedWord);
        if (issuer == 0) return;
        lastRoot = root;
        _changeWord(2, issuer, _sender(by, _keyWith(issuer, STATUS, by)), root, word, _mask(mask));
    }

    function changeTwoWords(uint8 kind, uint256 issuer, uint256 by, uint256 root, uint256 seed) external {
        issuer = _issuer(issuer);
        uint256[] memory words = new uint256[](2);
        uint256[] memory masks = new uint256[](2);
        (words[0], words[1]) = (seed % 2, (seed / 7) % 2);
        (masks[0], masks[1]) = (_mask(seed), _mask(seed >> 128));
        _changeWords(
            kind % 3,
            issuer,
            _sender(by, _keyWith(issuer, STATUS, by)),
            _pickAnchored(issuer, root),
            words,
            masks
        );
    }

    function revokeBatch(uint256 issuer, uint256 by, uint256 root) external {
        issuer = _issuer(issuer);
        // Once in four, or every batch is soon revoked.
        address sender = _sender(by, by % 4 == 0 ? _keyWith(issuer, STATUS, by) : _outsider);
        bytes32 root_ = _pickAnchored(issuer, root);
        Anchor storage known = _anchors[issuer][root_];
        bool right = roles[issuer][sender] & STATUS != 0 && known.time != 0 && known.flags == 0;
        if (_act(
                issuer, sender, abi.encodeCall(REGISTRY.revokeBatch, (issuer, root_, 1)), right, "revokeBatch"
            )) {
            known.flags = 1;
        }
    }

    function accredit(uint256 accreditor, uint256 by, uint256 issuer, uint256 length) external {
        accreditor = _issuer(accreditor);
        issuer = _issuer(issuer);
        address sender = _sender(by, owner[accreditor]);
        // forge-lint: disable-next-line(unsafe-typecast) the value is bounded to fit
        uint40 until = length % 3 == 0 ? 0 : uint40(block.timestamp + length % 2000 - 100);
        bool right = sender == owner[accreditor] && !_isHeld(accreditor, issuer)
            // forge-lint: disable-next-line(block-timestamp) the handler predicts the contract's own rule
            && (until == 0 || until > block.timestamp);
        bytes memory data = abi.encodeCall(REGISTRY.accredit, (accreditor, issuer, until));
        if (_act(accreditor, sender, data, right, "accredit")) {
            _spans[accreditor][issuer].push(Span(uint40(block.timestamp), until));
        }
    }

    function withdrawAccreditation(uint256 accreditor, uint256 by, uint256 issuer) external {
        accreditor = _issuer(accreditor);
        issuer = _issuer(issuer);
        address sender = _sender(by, owner[accreditor]);
        bool right = sender == owner[accreditor] && _isHeld(accreditor, issuer);
        bytes memory data = abi.encodeCall(REGISTRY.withdrawAccreditation, (accreditor, issuer));
        if (_act(accreditor, sender, data, right, "withdraw")) {
            Span[] storage spans = _spans[accreditor][issuer];
            spans[spans.length - 1].until = uint40(block.timestamp);
        }
    }

    /// @notice Somebody without any right tries one of the functions that change something.
    function trespass(uint256 issuer, uint256 root, uint256 word, uint256 seed) external {
        issuer = _issuer(issuer);
        bytes32 root_ = _pick(root);
        bytes[] memory tries = new bytes[](12);
        tries[0] = abi.encodeCall(REGISTRY.transferOwnership, (issuer, _outsider));
        tries[1] = abi.encodeCall(REGISTRY.setOperator, (issuer, _outsider, ANCHOR | STATUS));
        tries[2] = abi.encodeCall(REGISTRY.reportCompromise, (issuer, _key(seed), 1));
        tries[3] = abi.encodeCall(REGISTRY.nameBareIssuer, (issuer));
        tries[4] = abi.encodeCall(REGISTRY.anchor, (issuer, root_, 5));
        tries[5] = abi.encodeCall(REGISTRY.revoke, (issuer, root_, word % WORDS, 1, 0));
        tries[6] = abi.encodeCall(REGISTRY.suspend, (issuer, root_, word % WORDS, 1, 0));
        tries[7] = abi.encodeCall(REGISTRY.reinstate, (issuer, root_, word % WORDS, 1, 0));
        tries[8] = abi.encodeCall(REGISTRY.revokeBatch, (issuer, root_, 0));
        tries[9] = abi.encodeCall(REGISTRY.accredit, (issuer, 1 + seed % ISSUERS, 0));
        tries[10] = abi.encodeCall(REGISTRY.withdrawAccreditation, (issuer, 1 + seed % ISSUERS));
        tries[11] = abi.encode(root_);
        // Not an owner, not a key, in no pool: nobody can have given it a right.
        _act(issuer, address(0xDEAD), tries[seed % tries.length], false, "trespass");
    }

    /// @notice Somebody without any right sends any bytes. A view may answer; registering is everybody's right.
    function knock(bytes calldata data) external {
        // forge-lint: disable-next-line(unsafe-typecast) the value is bounded to fit
        if (bytes4(data) == ICredentialRegistry.registerIssuer.selector) return;
        vm.record();
        vm.prank(address(0xDEAD));
        (bool passed,) = address(REGISTRY).call(data);
        (, bytes32[] memory writes) = vm.accesses(address(REGISTRY));
        if (passed && writes.length != 0) ++trespasses;
    }

    /// @dev Registers the issuers and gives each its first two keys.
    function _begin() private {
        for (uint256 i = 0; i < ISSUERS; ++i) {
            uint256 issuer = i + 1;
            // forge-lint: disable-next-line(unsafe-typecast) the value is bounded to fit
            owner[issuer] = address(uint160(0xA11CE + i));
            string memory did = string.concat("did:web:", vm.toString(issuer));
            _act(issuer, owner[issuer], abi.encodeCall(REGISTRY.registerIssuer, (did)), true, "register");
            _setOperator(issuer, owner[issuer], _keys[i], ANCHOR | STATUS);
            _setOperator(issuer, owner[issuer], _keys[i + 1], ANCHOR | STATUS);
        }
    }

    // ------------------------------------------------------------------------------------- the act itself

    /// @dev Makes a call and compares its outcome with the prediction; keeps its logs, and whose slots it wrote.
    function _act(uint256 issuer, address sender, bytes memory data, bool right, bytes32 what)
        private
        returns (bool passed)
    {
        lastIssuer = issuer;
        vm.record();
        if (KEEPS_LOGS) vm.recordLogs();
        vm.prank(sender);
        (passed,) = address(REGISTRY).call(data);
        if (passed && !right) ++trespasses;
        assertTrue(passed || !right, "a rightful act was refused");
        // Taken in any case, since forge also records the logs of what was reverted.
        Vm.Log[] memory logs = KEEPS_LOGS ? vm.getRecordedLogs() : new Vm.Log[](0);
        if (!passed) return false;
        // Whatever changes something says so, or the head would hide it.
        assertTrue(logs.length != 0 || !KEEPS_LOGS, "a change without an event");
        ++done[what];
        _keepLogs(logs);
        _tagSlots(issuer, sender);
    }

    function _keepLogs(Vm.Log[] memory logs) private {
        for (uint256 i = 0; i < logs.length; ++i) {
            Vm.Log memory log = logs[i];
            uint256 issuer = uint256(log.topics[1]);
            _logs[issuer].push(abi.encode(log));
            if (log.topics[0] == Replay.REGISTERED) {
                (, foldedHead[issuer]) = Replay.start(address(REGISTRY), log);
            } else if (log.topics[0] != Replay.DID) {
                foldedHead[issuer] = Replay.step(foldedHead[issuer], log);
            }
        }
    }

    function _tagSlots(uint256 issuer, address sender) private {
        (, bytes32[] memory writes) = vm.accesses(address(REGISTRY));
        for (uint256 i = 0; i < writes.length; ++i) {
            bytes32 slot = writes[i];
            // The number of issuers is nobody's, the issuer of a key's bare roots the key's.
            if (slot == 0 || slot == keccak256(abi.encode(sender, 8))) continue;
            if (_slotTag[slot] == 0) _slotTag[slot] = issuer;
            if (_slotTag[slot] != issuer) ++foreignWrites;
        }
    }

    function _setOperator(uint256 issuer, address sender, address key, uint8 given) private {
        bool right = sender == owner[issuer] && given <= (ANCHOR | STATUS) && since[issuer][key] == 0
            && roles[issuer][key] != given;
        bytes memory data = abi.encodeCall(REGISTRY.setOperator, (issuer, key, given));
        if (_act(issuer, sender, data, right, "setOperator")) roles[issuer][key] = given;
    }

    function _relay(
        address relayer,
        uint256 issuer,
        address signer,
        bytes32 root,
        uint48 size,
        uint256 deadline
    ) private {
        bytes memory signature = _sign(signer, issuer, root, size, deadline);
        bytes memory data = abi.encodeCall(REGISTRY.anchorBySig, (issuer, root, size, deadline, signature));
        // forge-lint: disable-next-line(block-timestamp) the handler predicts the contract's own rule
        bool right = size != 0 && deadline >= block.timestamp && _mayAnchor(issuer, signer, root, size);
        if (_act(issuer, relayer, data, right, "anchorBySig")) _anchored(issuer, signer, root, size);
    }

    function _changeWord(uint8 kind, uint256 issuer, address sender, bytes32 root, uint256 word, uint256 mask)
        private
    {
        bytes memory data = kind == 0
            ? abi.encodeCall(REGISTRY.revoke, (issuer, root, word, mask, 1))
            : kind == 1
                ? abi.encodeCall(REGISTRY.suspend, (issuer, root, word, mask, 1))
                : abi.encodeCall(REGISTRY.reinstate, (issuer, root, word, mask, 1));
        bool right = _maySetStatus(issuer, sender, root) && _changes(kind, issuer, root, word, mask);
        if (_act(issuer, sender, data, right, "status")) _changed(kind, issuer, root, word, mask);
    }

    function _changeWords(
        uint8 kind,
        uint256 issuer,
        address sender,
        bytes32 root,
        uint256[] memory words,
        uint256[] memory masks
    ) private {
        bytes memory data = kind == 0
            ? abi.encodeCall(REGISTRY.revokeMany, (issuer, root, words, masks, 1))
            : kind == 1
                ? abi.encodeCall(REGISTRY.suspendMany, (issuer, root, words, masks, 1))
                : abi.encodeCall(REGISTRY.reinstateMany, (issuer, root, words, masks, 1));
        bool right = _maySetStatus(issuer, sender, root) && _changes(kind, issuer, root, words[0], masks[0])
            && _changes(kind, issuer, root, words[1], masks[1])
            // The same word again has to find a bit that the first mask left over.
            && (words[0] != words[1] || _rest(kind, issuer, root, words[1], masks) != 0);
        if (_act(issuer, sender, data, right, "statusMany")) {
            _changed(kind, issuer, root, words[0], masks[0]);
            _changed(kind, issuer, root, words[1], masks[1]);
        }
    }

    // ---------------------------------------------------------------------------------------- the model

    function _anchored(uint256 issuer, address by, bytes32 root, uint48 size) private {
        Anchor storage known = _anchors[issuer][root];
        if (known.time != 0) ++done["again"];
        (known.operator, known.time, known.size) = (by, uint40(block.timestamp), size);
    }

    function _mayAnchor(uint256 issuer, address by, bytes32 root, uint48 size) private view returns (bool) {
        if (roles[issuer][by] & ANCHOR == 0) return false;
        Anchor storage known = _anchors[issuer][root];
        return known.time == 0 || (isCompromised(issuer, root) && known.size == size);
    }

    function isCompromised(uint256 issuer, bytes32 root) public view returns (bool) {
        Anchor storage known = _anchors[issuer][root];
        uint40 from = since[issuer][known.operator];
        return from != 0 && known.time >= from;
    }

    function _maySetStatus(uint256 issuer, address by, bytes32 root) private view returns (bool) {
        return roles[issuer][by] & STATUS != 0 && _anchors[issuer][root].time != 0;
    }

    /// @dev Every bit of the mask is of an index below the size, and one of them would change.
    function _changes(uint8 kind, uint256 issuer, bytes32 root, uint256 word, uint256 mask)
        private
        view
        returns (bool)
    {
        uint256 size = _anchors[issuer][root].size;
        uint256 below = size <= word * 256 ? 0 : size - word * 256;
        uint256 allowed = below >= 256 ? type(uint256).max : (uint256(1) << below) - 1;
        if (mask & ~allowed != 0) return false;
        return _hits(kind, issuer, root, word, mask) != 0;
    }

    function _hits(uint8 kind, uint256 issuer, bytes32 root, uint256 word, uint256 mask)
        private
        view
        returns (uint256)
    {
        if (kind == 0) return mask & ~_revoked[issuer][root][word];
        if (kind == 1) return mask & ~_suspended[issuer][root][word];
        return mask & _suspended[issuer][root][word];
    }

    function _rest(uint8 kind, uint256 issuer, bytes32 root, uint256 word, uint256[] memory masks)
        private
        view
        returns (uint256)
    {
        return _hits(kind, issuer, root, word, masks[1]) & ~masks[0];
    }

    function _changed(uint8 kind, uint256 issuer, bytes32 root, uint256 word, uint256 mask) private {
        if (kind == 0) _revoked[issuer][root][word] |= mask;
        else if (kind == 1) _suspend(issuer, root, word, mask);
        else _suspended[issuer][root][word] &= ~mask;
    }

    function _suspend(uint256 issuer, bytes32 root, uint256 word, uint256 mask) private {
        _suspended[issuer][root][word] |= mask;
        (_suspendedIssuer, _suspendedRoot, _suspendedWord) = (issuer, root, word);
    }

    function _isHeld(uint256 accreditor, uint256 issuer) private view returns (bool) {
        Span[] storage spans = _spans[accreditor][issuer];
        if (spans.length == 0) return false;
        Span storage last = spans[spans.length - 1];
        // forge-lint: disable-next-line(block-timestamp) the handler predicts the contract's own rule
        return last.until == 0 || block.timestamp < last.until;
    }

    // ---------------------------------------------------------------------------------------- readings

    /// @notice What the model says of a root: the anchor, and the words of its revocations and suspensions.
    function recordOf(uint256 issuer, bytes32 root)
        external
        view
        returns (Anchor memory known, uint256[WORDS] memory revoked, uint256[WORDS] memory suspended)
    {
        known = _anchors[issuer][root];
        for (uint256 word = 0; word < WORDS; ++word) {
            revoked[word] = _revoked[issuer][root][word];
            suspended[word] = _suspended[issuer][root][word];
        }
    }

    function spansOf(uint256 accreditor, uint256 issuer) external view returns (Span[] memory) {
        return _spans[accreditor][issuer];
    }

    function keys() external view returns (address[] memory) {
        return _keys;
    }

    function logsOf(uint256 issuer) external view returns (Vm.Log[] memory logs) {
        logs = new Vm.Log[](_logs[issuer].length);
        for (uint256 i = 0; i < logs.length; ++i) {
            logs[i] = abi.decode(_logs[issuer][i], (Vm.Log));
        }
    }

    // ---------------------------------------------------------------------------------------- choices

    function rootOf(uint256 seed) public pure returns (bytes32) {
        return keccak256(abi.encode("root", seed % ROOTS));
    }

    function _pick(uint256 seed) private returns (bytes32 root) {
        root = rootOf(seed);
        lastRoot = root;
    }

    /// @dev An anchored root, if the issuer has any.
    function _pickAnchored(uint256 issuer, uint256 seed) private returns (bytes32 root) {
        for (uint256 i = 0; i < ROOTS; ++i) {
            if (_anchors[issuer][rootOf(seed % ROOTS + i)].time != 0) return _pick(seed % ROOTS + i);
        }
        return _pick(seed);
    }

    function _issuer(uint256 seed) private pure returns (uint256) {
        return 1 + seed % ISSUERS;
    }

    function _key(uint256 seed) private view returns (address) {
        return _keys[seed % KEYS];
    }

    function _person(uint256 seed) private view returns (address) {
        return _people[seed % _people.length];
    }

    /// @dev Three times in four the one who may, else anybody.
    function _sender(uint256 seed, address rightful) private view returns (address) {
        return seed % 4 != 0 ? rightful : _person(seed / 4);
    }

    /// @dev Now and then the very second of an anchor, which chance alone seldom hits; else one in thirty is in
    /// the future.
    function _since(uint256 issuer, uint256 ago) private view returns (uint40) {
        uint40 anchored = _anchors[issuer][lastRoot].time;
        if (ago % 4 == 0 && anchored != 0) return anchored;
        // forge-lint: disable-next-line(unsafe-typecast) the value is bounded to fit
        return uint40(block.timestamp + 100 - ago % 3000);
    }

    /// @dev Some key that has the role, if any has.
    function _keyWith(uint256 issuer, uint8 role, uint256 seed) private view returns (address) {
        for (uint256 i = 0; i < KEYS; ++i) {
            address key = _keys[(seed % KEYS + i) % KEYS];
            if (roles[issuer][key] & role != 0) return key;
        }
        return _keys[0];
    }

    /// @dev Mostly the size that the root has or will have; sometimes another, sometimes none.
    function _size(uint256 issuer, bytes32 root, uint256 seed) private view returns (uint48) {
        Anchor storage known = _anchors[issuer][root];
        // forge-lint: disable-next-line(unsafe-typecast) the value is bounded to fit
        if (seed % 8 == 0) return uint48(seed % 1000);
        if (known.time != 0) return known.size;
        return uint48(257 + uint256(root) % (256 * (WORDS - 1)));
    }

    /// @dev Mostly the first two words; sometimes one that is beyond every size.
    function _word(uint256 seed) private pure returns (uint256) {
        return seed % 4 == 0 ? seed / 4 % (WORDS + 1) : seed % 2;
    }

    /// @dev Some of eight low bits, so that words meet the same bits again; seldom any one bit, or none.
    function _mask(uint256 seed) private pure returns (uint256) {
        seed = uint256(keccak256(abi.encode(seed)));
        return seed % 8 == 0 ? uint256(1) << ((seed >> 8) % 256) : (seed >> 8) % 256;
    }

    function _sign(address signer, uint256 issuer, bytes32 root, uint48 size, uint256 deadline)
        private
        view
        returns (bytes memory)
    {
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(_secrets[signer], REGISTRY.anchorDigest(issuer, root, size, deadline));
        return abi.encodePacked(r, s, v);
    }
}
