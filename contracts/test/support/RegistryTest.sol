// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICredentialRegistry} from "../../src/ICredentialRegistry.sol";
import {Replay} from "./Replay.sol";
import {Test} from "./Test.sol";
import {Vm} from "./Vm.sol";

/// @notice A registry with two issuers and their keys, and one way to check a folded event.
abstract contract RegistryTest is Test {
    uint8 internal constant ANCHOR = 1;
    uint8 internal constant STATUS = 2;
    uint8 internal constant BOTH = 3;

    uint256 internal constant OPERATOR_KEY = 0x0b5e55ed;

    address internal constant OWNER = address(0xA11CE);
    address internal constant OTHER_OWNER = address(0xB0B);
    address internal constant OUTSIDER = address(0xBAD);
    address internal constant RELAYER = address(0x4E1A);
    /// @dev Issuer: ANCHOR only.
    address internal constant ANCHORER = address(0xA4C);
    /// @dev Issuer: STATUS only.
    address internal constant KEEPER = address(0x57A7);
    /// @dev Other issuer: both roles.
    address internal constant OTHER_OPERATOR = address(0x07E4);

    uint256 internal constant ISSUER = 1;
    uint256 internal constant OTHER = 2;
    uint256 internal constant UNKNOWN = 3;

    bytes32 internal constant ROOT = keccak256("root");
    /// @dev Three words: 256, 256 and 88 indexes.
    uint48 internal constant SIZE = 600;

    uint40 internal constant START = 1_800_000_000;

    string internal constant DID = "did:web:issuer.example";

    ICredentialRegistry internal registry;

    /// @dev Issuer: both roles; the key that signs.
    address internal operator;

    /// @dev The head before the call that is looked at.
    bytes32 private _headBefore;

    function setUp() public virtual {
        vm.warp(START);
        registry = _deploy();
        operator = vm.addr(OPERATOR_KEY);
        vm.prank(OWNER);
        registry.registerIssuer(DID);
        vm.prank(OTHER_OWNER);
        registry.registerIssuer("did:web:other.example");
        _setOperator(operator, BOTH);
        _setOperator(ANCHORER, ANCHOR);
        _setOperator(KEEPER, STATUS);
        vm.prank(OTHER_OWNER);
        registry.setOperator(OTHER, OTHER_OPERATOR, BOTH);
    }

    /// @dev The registry as it is published. Tests compile without the IR pipeline, which takes ten times as
    /// long, so they may not compile it themselves.
    function _deploy() internal returns (ICredentialRegistry deployed) {
        return ICredentialRegistry(vm.deployCode("CredentialRegistry.sol:CredentialRegistry"));
    }

    // ---------------------------------------------------------------------------------------- steps

    function _setOperator(address key, uint8 roles) internal {
        vm.prank(OWNER);
        registry.setOperator(ISSUER, key, roles);
    }

    function _compromise(address key, uint40 since) internal {
        vm.prank(OWNER);
        registry.reportCompromise(ISSUER, key, since);
    }

    function _anchor(bytes32 root, uint48 size) internal {
        vm.prank(operator);
        registry.anchor(ISSUER, root, size);
    }

    function _anchorBare(bytes32 root) internal {
        if (registry.bareIssuerOf(operator) != ISSUER) {
            vm.prank(operator);
            registry.nameBareIssuer(ISSUER);
        }
        (bool done,) = _send(operator, abi.encode(root));
        assertTrue(done, "the bare root was refused");
    }

    /// @dev Makes the operator's anchors from START on untrusted, a minute later.
    function _loseTrust() internal {
        vm.warp(START + 60);
        _compromise(operator, START);
    }

    /// @dev Sends calldata that no function describes.
    function _send(address from, bytes memory data) internal returns (bool done, bytes memory answer) {
        vm.prank(from);
        (done, answer) = address(registry).call(data);
    }

    // ---------------------------------------------------------------------------------------- reverts

    function _refuse(bytes4 selector) internal {
        vm.expectRevert(abi.encodeWithSelector(selector));
    }

    function _refuseUnknownIssuer(uint256 issuer) internal {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.UnknownIssuer.selector, issuer));
    }

    function _refuseNotOwner(uint256 issuer, address caller) internal {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.NotOwner.selector, issuer, caller));
    }

    function _refuseMissingRole(uint256 issuer, address key, uint8 role) internal {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.MissingRole.selector, issuer, key, role));
    }

    function _refuseKeyCompromised(address key, uint40 since) internal {
        vm.expectRevert(
            abi.encodeWithSelector(ICredentialRegistry.KeyCompromised.selector, ISSUER, key, since)
        );
    }

    function _refuseAlreadyAnchored(bytes32 root, address by, uint40 time, uint48 size) internal {
        vm.expectRevert(
            abi.encodeWithSelector(ICredentialRegistry.AlreadyAnchored.selector, ISSUER, root, by, time, size)
        );
    }

    function _refuseSizeDiffers(bytes32 root, uint48 anchored, uint48 given) internal {
        vm.expectRevert(
            abi.encodeWithSelector(ICredentialRegistry.SizeDiffers.selector, ISSUER, root, anchored, given)
        );
    }

    function _refuseNotAnchored(uint256 issuer, bytes32 root) internal {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.NotAnchored.selector, issuer, root));
    }

    // ---------------------------------------------------------------------------------------- events

    /// @dev Call before the call whose event is looked at.
    function _watch(uint256 issuer) internal {
        _headBefore = registry.headOf(issuer);
        vm.recordLogs();
    }

    /// @dev One event with two indexed arguments, and nothing else; `words` is its data before time and head.
    function _expectLog3(uint256 issuer, string memory signature, bytes32 topic2, bytes memory words)
        internal
    {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "number of events");
        bytes32 head = _checkLog3(logs[0], _headBefore, issuer, signature, topic2, words);
        assertEq(registry.headOf(issuer), head, "head in storage");
    }

    /// @dev One event with three indexed arguments, and nothing else.
    function _expectLog4(
        uint256 issuer,
        string memory signature,
        bytes32 topic2,
        bytes32 topic3,
        bytes memory words
    ) internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "number of events");
        bytes32 head = _checkLog4(logs[0], _headBefore, issuer, signature, topic2, topic3, words);
        assertEq(registry.headOf(issuer), head, "head in storage");
    }

    function _checkLog3(
        Vm.Log memory log,
        bytes32 headBefore,
        uint256 issuer,
        string memory signature,
        bytes32 topic2,
        bytes memory words
    ) internal view returns (bytes32 head) {
        assertEq(log.topics.length, 3, "number of topics");
        return _checkLog(log, headBefore, issuer, signature, topic2, 0, words);
    }

    function _checkLog4(
        Vm.Log memory log,
        bytes32 headBefore,
        uint256 issuer,
        string memory signature,
        bytes32 topic2,
        bytes32 topic3,
        bytes memory words
    ) internal view returns (bytes32 head) {
        assertEq(log.topics.length, 4, "number of topics");
        assertEq(log.topics[3], topic3, "topic 3");
        return _checkLog(log, headBefore, issuer, signature, topic2, topic3, words);
    }

    function _checkLog(
        Vm.Log memory log,
        bytes32 headBefore,
        uint256 issuer,
        string memory signature,
        bytes32 topic2,
        bytes32 topic3,
        bytes memory words
    ) private view returns (bytes32 head) {
        assertEq(log.emitter, address(registry), "emitter");
        assertEq(log.topics[0], keccak256(bytes(signature)), "topic 0");
        assertEq(log.topics[1], bytes32(issuer), "topic 1");
        assertEq(log.topics[2], topic2, "topic 2");
        bytes memory body = abi.encodePacked(words, uint256(block.timestamp));
        head = Replay.next(headBefore, keccak256(bytes(signature)), topic2, topic3, body);
        assertEq(log.data, abi.encodePacked(body, head), "data");
    }

    // ---------------------------------------------------------------------------------------- readings

    function _word(address account) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    function _expectAnchor(
        uint256 issuer,
        bytes32 root,
        address by,
        uint256 time,
        uint256 size,
        uint256 flags
    ) internal view {
        (address gotBy, uint40 gotTime, uint48 gotSize, uint8 gotFlags) = registry.anchorOf(issuer, root);
        assertEq(gotBy, by, "anchor: operator");
        assertEq(gotTime, time, "anchor: time");
        assertEq(gotSize, size, "anchor: size");
        assertEq(gotFlags, flags, "anchor: flags");
    }

    function _expectOperator(uint256 issuer, address key, uint256 roles, uint256 since) internal view {
        (uint8 gotRoles, uint40 gotSince) = registry.operatorOf(issuer, key);
        assertEq(gotRoles, roles, "operator: roles");
        assertEq(gotSince, since, "operator: compromisedSince");
    }

    function _expectIssuer(uint256 issuer, address owner, address pendingOwner) internal view {
        (address gotOwner, address gotPending,,) = registry.issuerOf(issuer);
        assertEq(gotOwner, owner, "issuer: owner");
        assertEq(gotPending, pendingOwner, "issuer: pending owner");
    }

    function _expectStatus(bytes32 root, uint256 index, ICredentialRegistry.Standing standing) internal view {
        assertEq(uint256(registry.statusOf(ISSUER, root, index)), uint256(standing), "standing");
    }
}
